"""The whole state table of a booking, cell by cell."""

import pytest

from scheduler.rules.lifecycle import FINAL, INITIAL, LIVE, STATUSES, VERBS, allowed_verbs, next_status
from scheduler.rules.refusals import TransitionNotAllowed

TABLE = """
            confirm    approve    refuse     move       start       complete  cancel     no_show  expire   reopen
held        confirmed  -          -          held       -           -         cancelled  -        expired  -
pending     -          confirmed  cancelled  pending    -           -         cancelled  -        expired  -
confirmed   -          -          -          confirmed  in_session  -         cancelled  no_show  -        -
in_session  -          -          -          -          -           done      -          no_show  -        -
done        -          -          -          -          -           -         -          -        -        in_session
no_show     -          -          -          -          -           -         -          -        -        in_session
cancelled   -          -          -          -          -           -         -          -        -        -
expired     -          -          -          -          -           -         -          -        -        -
"""
_HEAD, *_ROWS = (line.split() for line in TABLE.strip().splitlines())
CELLS = [(row[0], verb, after) for row in _ROWS for verb, after in zip(_HEAD, row[1:], strict=True)]


def test_the_table_names_every_status_and_verb() -> None:
    assert tuple(_HEAD) == VERBS
    assert tuple(row[0] for row in _ROWS) == STATUSES
    assert set(LIVE) | set(FINAL) == set(STATUSES)
    assert not set(LIVE) & set(FINAL)
    assert set(INITIAL) < set(LIVE)


@pytest.mark.parametrize(("status", "verb", "after"), CELLS)
def test_each_cell(status: str, verb: str, after: str) -> None:
    if after != "-":
        assert next_status(status, verb) == after
        return
    with pytest.raises(TransitionNotAllowed) as caught:
        next_status(status, verb)
    allowed = [name for known, name, then in CELLS if known == status and then != "-"]
    assert caught.value.facts == {"status": status, "verb": verb, "allowed": allowed}


def test_only_an_undo_leaves_a_final_status() -> None:
    assert {status for status in STATUSES if set(allowed_verbs(status)) <= {"reopen"}} == set(FINAL)


@pytest.mark.parametrize(
    ("status", "verb", "wrong"), [("gone", "cancel", "status"), ("held", "delete", "verb")]
)
def test_a_status_or_verb_that_does_not_exist_is_a_bug_not_a_refusal(
    status: str, verb: str, wrong: str
) -> None:
    with pytest.raises(ValueError, match=f"no such {wrong}"):
        next_status(status, verb)
