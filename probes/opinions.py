"""Second opinions that carry a credential: before a red light of RDP or VNC for what happens before the login.

SSH has its own, without a credential, in ``probes.second_opinion``. What can be asked here gets through only by
logging in, so it is asked once, counts as a login of its own, and never follows a refused one.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import Protocol, cast

from probes.dial import Dialled
from probes.logins import Ending, Logins, PutOff
from probes.pace import Pace
from probes.report import Facts, Step, finding
from probes.target import CredentialKind, Target

# method → the module that asks, and the (step, code) that it is asked about.
ASKED = {"rdp": "probes.rdp_opinion", "vnc": "probes.vnc_opinion"}
DOUBTED = {
    "rdp": {
        *(("x224", code) for code in ("rdp_no_answer", "closed_before_banner", "tcp_reset")),
        ("x224", "rdp_negotiation_failed"),
        ("tls", "tls_failed"),
    },
    "vnc": {
        ("security", code)
        for code in (
            *("tls_failed", "vnc_timeout", "vnc_disconnected", "vnc_protocol_error"),
            "vnc_unsupported_security",
        )
    },
}
SHORTEST_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Opinion:
    """Whether the other client came as far as a login, its words, and how that counts in the book of logins."""

    got_through: bool
    words: str
    ending: Ending


class Adviser(Protocol):
    """The shape of a module that asks another client."""

    def can_ask(self, target: Target, facts: Facts) -> bool:
        """Whether it is here, speaks what is offered and would carry the credential to no other door than we do."""
        ...

    async def ask(self, address: str, port: int, target: Target, seconds: float) -> Opinion | None:
        """One visit at a judged address; None where it came to no opinion."""
        ...


def is_doubtful(target: Target, step: Step) -> bool:
    """Whether another client is worth asking before this step is believed."""
    return (step.name, step.code) in DOUBTED.get(target.method, ())


async def confirmed(step: Step, dialled: Dialled, target: Target, pace: Pace, logins: Logins | None) -> Step:
    """The failed step with both opinions in its facts; ``opinions_differ`` where the other client gets through.

    As it is where nobody can be asked, or where one more login would be too many. Our own connection must be closed.
    """
    seconds = pace.left(pace.limits.opinion)
    if seconds < SHORTEST_SECONDS or target.credential.kind is not CredentialKind.PASSWORD:
        return step
    adviser = cast("Adviser", importlib.import_module(ASKED[target.method]))
    if not adviser.can_ask(target, step.facts):
        return step
    opinion = await _counted(adviser, dialled, target, seconds, logins)
    if opinion is None:
        return step
    facts = {**step.facts, "first_opinion": step.code, "second_opinion": opinion.words}
    code = "opinions_differ" if opinion.got_through else str(step.code)
    return finding(step.name, code, facts, step.ms + pace.lap())


async def _counted(
    adviser: Adviser, dialled: Dialled, target: Target, seconds: float, logins: Logins | None
) -> Opinion | None:
    """Written down before; without an opinion it stays unsettled, which counts as a refusal."""
    address, handle = str(dialled.address), None
    if logins is not None:
        handle = logins.begin(address, dialled.port, guessable=True)
        if isinstance(handle, PutOff):
            return None
    opinion = await adviser.ask(address, dialled.port, target, seconds)
    if logins is not None and opinion is not None:
        logins.settle(handle, opinion.ending)
    return opinion
