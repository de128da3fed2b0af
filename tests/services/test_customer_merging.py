"""Two customers made one: everything moves, what led to the first goes on working."""

import pytest
from sqlalchemy import select

from scheduler.bookings import booking as bookings
from scheduler.customers import merging
from scheduler.customers.finding import find_customers
from scheduler.doors import systems
from scheduler.identity import people
from scheduler.rules.refusals import InvalidInput
from scheduler.store.models import (
    AccessPoint,
    Base,
    Booking,
    CalendarObject,
    Check,
    Contact,
    Customer,
    CustomerKey,
    Entitlement,
)
from tests.services.conftest import NOW, PONS, SOL, Bench, at
from tests.services.customer_desk import ELENA, id_of


def merge(bench: Bench, source: int, target: int) -> None:
    with bench.writing() as (session, desk):
        merging.merge(session, desk, bench.vault, at(24, 11), ELENA, source, target)


def test_every_table_that_names_a_customer_is_thought_of() -> None:
    owners = {(owner.class_.__tablename__, owner.key) for owner in merging.MOVED} | {
        ("customer_key", "customer_id")
    }
    found = {
        (table.name, key.parent.name)
        for table in Base.metadata.tables.values()
        for key in table.foreign_keys
        if key.column.table.name == "customer"
    }
    assert found == owners


def test_bookings_rights_doors_and_people_move_and_go_on_working(bench: Bench) -> None:
    source, target = id_of(bench, SOL), id_of(bench, PONS)
    with bench.writing() as (session, desk):
        request = bench.request(session, SOL, at(25, 11))
        booked = bookings.book(session, desk, NOW, bench.customer(session, SOL), request)
        link, rev = booked.link_hash, booked.rev
        door = session.scalars(select(AccessPoint).where(AccessPoint.id == request.access_point_id)).one()
        pair = session.get_one(CustomerKey, source)
        private = bench.vault.open(pair.private_key, "customer_key", source, "private_key", 1).reveal()
        systems.our_public_key(session, bench.vault, NOW, target)
    merge(bench, source, target)
    with bench.writing() as (session, _):
        row = session.get_one(Booking, booked.id)
        assert (row.customer_id, row.link_hash, row.rev) == (target, link, rev)
        assert "Gestor" in session.get_one(CalendarObject, booked.id).vevent.decode()
        assert all(check.rev == row.rev for check in session.scalars(select(Check)))
        assert (
            session.scalars(select(Entitlement.customer_id).where(Entitlement.balance_minutes == 540)).one()
            == target
        )
        moved = session.get_one(AccessPoint, door.id)
        assert moved.credential_kind == "private_key"
        assert moved.credential
        cell = ("access_point", moved.id, "credential", moved.credential_gen)
        assert bench.vault.open(moved.credential, *cell).reveal() == private
        assert {person.customer_id for person in session.scalars(select(Contact))} >= {target}
        assert session.get(Customer, source) is None
        assert merging.former(session, source) == target
        assert people.find_customer(session, "clinica sol", SOL) is session.get(Customer, target)
        assert [each.id for each in find_customers(session, "clinica sol").customers] == [target]


def test_a_pair_of_keys_is_taken_over_where_there_is_none(bench: Bench) -> None:
    source, target = id_of(bench, SOL), id_of(bench, PONS)
    with bench.writing() as (session, _):
        pair = session.get_one(CustomerKey, source)
        public = pair.public_key
        other = session.get(CustomerKey, target)
        if other is not None:
            session.delete(other)
    merge(bench, source, target)
    with bench.writing() as (session, _):
        pair = session.get_one(CustomerKey, target)
        assert pair.public_key == public
        bench.vault.open(pair.private_key, "customer_key", target, "private_key", pair.private_key_gen)


def test_a_customer_is_not_merged_into_itself(bench: Bench) -> None:
    source = id_of(bench, SOL)
    with pytest.raises(InvalidInput) as caught:
        merge(bench, source, source)
    assert (caught.value.field, caught.value.problem) == ("into", "same_customer")


def test_a_merge_may_be_followed_by_another(bench: Bench) -> None:
    sol, pons = id_of(bench, SOL), id_of(bench, PONS)
    luz = id_of(bench, "B46100731")
    merge(bench, sol, pons)
    merge(bench, pons, luz)
    with bench.writing() as (session, _):
        assert merging.former(session, sol) == merging.former(session, pons) == luz
