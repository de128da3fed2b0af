"""Calendar addresses: shown again at will, revealed by no database, revoked for good."""

import re
from datetime import timedelta
from itertools import pairwise

import pytest

from fixtures.databases import Database
from scheduler.calendars.secrets import (
    LONGEST_URL,
    FeedSettings,
    Owner,
    change_feed,
    create_customer_feed,
    create_feed,
    feed_secret,
    feed_url,
    feeds_of,
    hash_secret,
    revoke_feed,
    rotate_feed,
)
from scheduler.rules.refusals import InvalidInput, NotAllowed, NotFound
from scheduler.rules.secret import Secret
from scheduler.store.engines import read, write
from scheduler.store.models import FeedSecret, Technician
from tests.unit.calendars.desk import ANA, BASE, LUIS, NOW, add_desk

KEY = Secret("f0" * 32)
ANAS = Owner(technician_id=ANA)
ON_SQLITE = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
"""For tests in which the database only remembers."""


@pytest.fixture
def desk(database: Database) -> Database:
    with write(database.sessions) as session:
        add_desk(session)
    return database


def make(desk: Database, technician_id: int = ANA, scope: str = "interventions") -> int:
    with write(desk.sessions) as session:
        return create_feed(session, KEY, technician_id, scope, NOW).id


def urls(desk: Database, technician_id: int = ANA, key: Secret = KEY) -> list[str | None]:
    with read(desk.sessions) as session:
        return [address.url for address in feeds_of(session, key, BASE, technician_id)]


def test_an_address_can_be_shown_again(desk: Database) -> None:
    make(desk)
    (first,) = urls(desk)
    assert [first] == urls(desk)
    assert first is not None
    assert re.fullmatch(rf"{BASE}/cal/[\w-]{{24}}/intervenciones\.ics", first)
    assert len(first) <= LONGEST_URL


@ON_SQLITE
def test_the_database_keeps_only_the_hash(desk: Database) -> None:
    id_ = make(desk)
    with read(desk.sessions) as session:
        row = session.get_one(FeedSecret, id_)
        secret = feed_secret(KEY, row).reveal()
        assert row.secret_hash == hash_secret(secret)
        assert secret not in repr(vars(row))


def test_addresses_differ(desk: Database) -> None:
    for _ in range(3):
        make(desk)
    make(desk, LUIS)
    found = urls(desk) + urls(desk, LUIS)
    assert len(set(found)) == 4


@ON_SQLITE
def test_under_another_key_the_address_is_not_shown_wrongly(desk: Database) -> None:
    make(desk)
    assert urls(desk, key=Secret("00" * 32)) == [None]


@ON_SQLITE
def test_a_shown_address_does_not_print_itself(desk: Database) -> None:
    make(desk)
    with read(desk.sessions) as session:
        (address,) = feeds_of(session, KEY, BASE, ANA)
    assert address.url is not None
    assert "/cal/" not in repr(address)
    assert address.webcal == address.url.replace("https://", "webcal://")


def test_rotating_revokes_the_old_and_keeps_the_choice(desk: Database) -> None:
    with write(desk.sessions) as session:
        old = create_feed(session, KEY, ANA, "slots", NOW, FeedSettings("host", 15))
    (before,) = urls(desk)
    with write(desk.sessions) as session:
        new = rotate_feed(session, KEY, ANAS, old.id, NOW + timedelta(days=1))
        assert (new.scope, new.detail, new.alarm_minutes) == ("slots", "host", 15)
    (after,) = urls(desk)
    assert after != before
    with read(desk.sessions) as session:
        assert session.get_one(FeedSecret, old.id).revoked_at == NOW + timedelta(days=1)


@ON_SQLITE
def test_revoked_addresses_are_not_listed(desk: Database) -> None:
    id_ = make(desk)
    with write(desk.sessions) as session:
        revoke_feed(session, ANAS, id_, NOW)
    assert urls(desk) == []


@ON_SQLITE
@pytest.mark.parametrize("act", [revoke_feed, lambda s, t, f, now: rotate_feed(s, KEY, t, f, now)])
def test_nobody_ends_the_address_of_another_or_one_that_ended(desk: Database, act: object) -> None:
    assert callable(act)
    id_ = make(desk)
    with pytest.raises(NotFound), write(desk.sessions) as session:
        act(session, Owner(technician_id=LUIS), id_, NOW)
    with write(desk.sessions) as session:
        revoke_feed(session, ANAS, id_, NOW)
    with pytest.raises(NotFound), write(desk.sessions) as session:
        act(session, ANAS, id_, NOW)


@ON_SQLITE
def test_an_unknown_scope_is_refused(desk: Database) -> None:
    with pytest.raises(InvalidInput) as refused:
        make(desk, scope="customer")
    assert refused.value.field == "scope"


@ON_SQLITE
def test_other_settings_are_a_change_that_dates_show(desk: Database) -> None:
    id_ = make(desk)
    seen = [NOW]
    for settings in (
        FeedSettings("host"),
        FeedSettings("host"),
        FeedSettings("host", 15),
        FeedSettings("busy"),
    ):
        with write(desk.sessions) as session:
            change_feed(session, ANAS, id_, NOW, settings)
        with read(desk.sessions) as session:
            row = session.get_one(FeedSecret, id_)
            assert FeedSettings(row.detail, row.alarm_minutes) == settings
            seen.append(row.changed_at)
    assert [later > earlier for earlier, later in pairwise(seen)] == [True, False, True, True]


@ON_SQLITE
@pytest.mark.parametrize(
    ("settings", "field"),
    [
        (FeedSettings("everything"), "detail"),
        (FeedSettings("full", -1), "alarm"),
        (FeedSettings("full", 100_000), "alarm"),
    ],
)
def test_settings_that_do_not_exist_are_refused(desk: Database, settings: FeedSettings, field: str) -> None:
    id_ = make(desk)
    with pytest.raises(InvalidInput) as refused, write(desk.sessions) as session:
        change_feed(session, ANAS, id_, NOW, settings)
    assert refused.value.field == field
    with pytest.raises(InvalidInput), write(desk.sessions) as session:
        create_feed(session, KEY, ANA, "slots", NOW, settings)


@ON_SQLITE
def test_the_team_is_for_dispatchers(desk: Database) -> None:
    with pytest.raises(NotAllowed):
        make(desk, scope="team")
    with write(desk.sessions) as session:
        session.get_one(Technician, ANA).role = "dispatcher"
    make(desk, scope="team")


@ON_SQLITE
def test_a_contact_and_a_technician_of_the_same_number_are_two(desk: Database) -> None:
    with write(desk.sessions) as session:
        theirs = create_customer_feed(session, KEY, 1, NOW, FeedSettings(alarm_minutes=30)).id
    ours = make(desk, 1)
    with read(desk.sessions) as session:
        (address,) = feeds_of(session, KEY, BASE, Owner(contact_id=1))
        assert (address.id, address.scope, address.settings) == (theirs, "customer", FeedSettings("full", 30))
        assert [feed.id for feed in feeds_of(session, KEY, BASE, 1)] == [ours]
    with pytest.raises(NotFound), write(desk.sessions) as session:
        revoke_feed(session, ANAS, theirs, NOW)
    with pytest.raises(NotFound), write(desk.sessions) as session:
        revoke_feed(session, Owner(contact_id=1), ours, NOW)


def test_an_address_too_long_for_clients_is_refused() -> None:
    with pytest.raises(ValueError, match="shorten base_url"):
        feed_url(f"https://{'x' * 70}.example", Secret("s" * 24))
