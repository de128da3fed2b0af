"""Every pair of states of a return: only the way that the conditions describe is open."""

from itertools import product

import pytest

from scheduler.rules.refusals import InvalidInput
from scheduler.rules.returns import STEPS, require_step, state_after

WAY = {
    ("requested", "document_sent"),
    ("document_sent", "verified"),
    ("document_sent", "resolved_remotely"),
    ("verified", "code_issued"),
    ("resolved_remotely", "closed"),
    ("code_issued", "received"),
    ("received", "closed"),
    ("requested", "rejected"),
    ("document_sent", "rejected"),
    ("verified", "rejected"),
}


@pytest.mark.parametrize("pair", list(product(STEPS, [*STEPS, "rejected", "nonsense", ""])))
def test_only_the_way_is_open(pair: tuple[str, str]) -> None:
    if pair in WAY:
        require_step(*pair)
        return
    with pytest.raises(InvalidInput) as caught:
        require_step(*pair)
    assert caught.value.problem == "step_not_now"


@pytest.mark.parametrize(
    ("step", "state"), [("rejected", "closed"), ("verified", "verified"), ("closed", "closed")]
)
def test_a_rejected_one_is_closed(step: str, state: str) -> None:
    assert state_after(step) == state
