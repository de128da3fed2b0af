"""A request that is sent again books once."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import func, select

from scheduler.bookings import booking as bookings
from scheduler.bookings.idempotency import book_once
from scheduler.rules import refusals
from scheduler.store.models import Booking, IdempotencyKey, Notice
from tests.services.conftest import NOW, SOL, Bench, at

BODY = {"access_point": 1, "start_at": "2026-11-25T09:30:00Z"}


def once(
    bench: Bench, key: str = "k1", body: dict[str, Any] = BODY, owner: str = "customer:1", hour: int = 11
) -> tuple[int, bool]:
    with bench.writing() as (session, desk):
        actor = bench.customer(session, SOL)

        def book() -> Booking:
            return bookings.book(session, desk, NOW, actor, bench.request(session, SOL, at(25, hour)))

        row, repeated = book_once(session, NOW, owner, key, body, book)
        return row.id, repeated


def booked(bench: Bench) -> int | None:
    with bench.writing() as (session, _):
        return session.scalar(select(func.count()).select_from(Booking))


def test_the_same_key_gets_the_same_answer(bench: Bench) -> None:
    first, repeated = once(bench)
    assert not repeated
    assert once(bench) == (first, True)
    assert booked(bench) == 1
    with bench.writing() as (session, _):
        told = session.scalars(select(Notice.kind).order_by(Notice.kind)).all()
        assert told == ["confirmed", "staff_confirmed"], "each of both once"


def test_another_order_of_fields_is_the_same_body(bench: Bench) -> None:
    first, _ = once(bench)
    assert once(bench, body=dict(reversed(BODY.items()))) == (first, True)


def test_another_body_is_a_conflict(bench: Bench) -> None:
    once(bench)
    with pytest.raises(refusals.IdempotencyConflict):
        once(bench, body=BODY | {"minutes": 30})
    assert booked(bench) == 1


def test_keys_of_different_people_are_apart(bench: Bench) -> None:
    first, _ = once(bench)
    assert once(bench, owner="customer:2", hour=13) != (first, True)
    assert booked(bench) == 2


def test_a_refused_request_leaves_the_key_free(bench: Bench) -> None:
    with pytest.raises(refusals.OutsideHours):
        once(bench, hour=22)
    assert once(bench)[1] is False


@pytest.mark.parametrize("key", ["x" * 201, "a\nb", "a\x00b", "\u202eb"])
def test_a_key_is_plain_text(bench: Bench, key: str) -> None:
    with pytest.raises(refusals.InvalidInput) as refused:
        once(bench, key=key)
    assert refused.value.field == "idempotency_key"
    with bench.writing() as (session, _):
        assert session.scalar(select(func.count()).select_from(IdempotencyKey)) == 0


def test_of_parallel_repetitions_one_books(bench: Bench) -> None:
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: once(bench), range(8)))
    assert len({id_ for id_, _ in answers}) == 1
    assert sorted(repeated for _, repeated in answers) == [False] + [True] * 7
    assert booked(bench) == 1
