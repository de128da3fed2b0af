"""Forms that are shown again: every field's refusal collected, said in the reader's language, with its stable code."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import ParamSpec, TypeVar

from flask import current_app

from scheduler.rules.refusals import InvalidInput, Refusal
from web.errors import Message, refused

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Shown:
    """What a page says about refusals: messages for people, codes for programs, and the status to answer with."""

    messages: tuple[Message, ...] = ()
    codes: str = ""
    status: int = 200


NOTHING = Shown()


def show(refusals: Sequence[Refusal], fields: dict[str, str] | None = None) -> Shown:
    """The refusals for a page; `fields` renames those whose input is called otherwise on this page."""
    renamed = fields or {}
    said = [refused(refusal) for refusal in refusals]
    messages = tuple(
        replace(message, field=renamed.get(message.field or "", message.field)) for message, _ in said
    )
    codes = " ".join(_code(refusal) for refusal in refusals)
    return Shown(messages, codes, max((status for _, status in said), default=200))


def plain(field: str | None, code: str, title: str, text: str, remedy: str = "", status: int = 422) -> Shown:
    """A message of the web's own, where no rule refuses: nothing chosen, a code that does not fit."""
    current_app.logger.info("refused: %s on %s", code, field)
    return Shown((Message(title, text, remedy, field),), code, status)


class Collector:
    """Tries each field on its own, so that people are told about all of them at once."""

    def __init__(self) -> None:
        self.refusals: list[Refusal] = []

    def attempt(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T | None:
        """What the call returns, or None when it refuses."""
        try:
            return call(*args, **kwargs)
        except Refusal as refusal:
            self.refusals.append(refusal)
            return None


def _code(refusal: Refusal) -> str:
    return f"{refusal.code}:{refusal.problem}" if isinstance(refusal, InvalidInput) else refusal.code
