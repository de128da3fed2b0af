"""Dispatchers grant rights and put ledgers right; every minute is accounted for."""

from dataclasses import replace
from datetime import date

import pytest
from sqlalchemy import func, select

from scheduler import entitlements
from scheduler.bookings import booking as bookings
from scheduler.bookings import closing
from scheduler.customers import granting, ledger
from scheduler.customers.granting import GrantForm
from scheduler.rules.entitlement import last_day
from scheduler.rules.refusals import HoursExhausted, InvalidInput
from scheduler.store.models import (
    AuditEntry,
    Entitlement,
    LedgerEntry,
    Notice,
)
from tests.services.conftest import LUZ, NOW, SOL, Bench, at
from tests.services.customer_desk import ELENA, PURCHASE, count, grant, problem, right_of


class TestGranting:
    def test_a_purchase_counts_thirty_days_from_its_day(self, bench: Bench) -> None:
        right_id = grant(bench, PURCHASE)
        with bench.writing() as (session, desk):
            right = session.get_one(Entitlement, right_id)
            assert (right.serial, right.bought_on, right.metered) == ("GX-7701", date(2026, 11, 20), False)
            last = last_day(entitlements.facts_of(right), desk.conditions)
            assert last == date(2026, 12, 20)

    def test_hours_go_through_the_ledger(self, bench: Bench) -> None:
        right_id = grant(bench, GrantForm("hours", hours="7,5", valid_until="2027-03-31"))
        with bench.writing() as (session, _):
            right = session.get_one(Entitlement, right_id)
            assert (right.balance_minutes, right.metered) == (450, True)
            assert [line.minutes for line in ledger.lines(session, right)] == [450]

    def test_maintenance_may_include_hours_or_not(self, bench: Bench) -> None:
        form = GrantForm("maintenance", valid_from="2026-11-01", valid_until="2027-10-31")
        with bench.writing() as (session, _):
            pass
        free, counted = grant(bench, form), grant(bench, replace(form, hours="10"))
        with bench.writing() as (session, _):
            assert session.get_one(Entitlement, free).metered is False
            assert session.get_one(Entitlement, counted).balance_minutes == 600

    @pytest.mark.parametrize(
        ("typed", "cents"),
        [
            ("6.500,50 €", 650_050),
            ("6500.5", 650_050),
            ("6.500", 650_000),
            ("6,500", 650_000),
            ("6,500.50", 650_050),
            ("1.234.567", 123_456_700),
            ("6000", 600_000),
            ("6000,01", 600_001),
        ],
    )
    def test_amounts_as_both_languages_write_them(self, typed: str, cents: int) -> None:
        assert granting.clean_euros("purchases", typed) == cents

    @pytest.mark.parametrize(
        ("form", "wrong"),
        [
            (replace(PURCHASE, bought_on="2026-11-25"), ("bought_on", "in_the_future")),
            (replace(PURCHASE, bought_on=""), ("bought_on", "required")),
            (replace(PURCHASE, bought_on="20/11/2026"), ("bought_on", "not_a_date")),
            (replace(PURCHASE, bought_on="0001-01-01"), ("bought_on", "not_a_date")),
            (replace(PURCHASE, serial=""), ("serial", "required")),
            (replace(PURCHASE, serial="¿?"), ("serial", "not_a_serial")),
            (replace(PURCHASE, serial="ninguno"), ("serial", "not_a_serial")),
            (replace(PURCHASE, serial="gx-1"), ("serial", "already_used")),
            (GrantForm("hours", hours="0"), ("granted_hours", "out_of_range")),
            (GrantForm("hours", hours="-5"), ("granted_hours", "out_of_range")),
            (GrantForm("hours", hours="−5"), ("granted_hours", "out_of_range")),
            (GrantForm("hours", hours="10001"), ("granted_hours", "out_of_range")),
            (GrantForm("hours", hours="1.1"), ("granted_hours", "quarter_hours")),
            (GrantForm("hours", hours="diez"), ("granted_hours", "not_a_number")),
            (GrantForm("hours", hours="NaN"), ("granted_hours", "not_a_number")),
            (GrantForm("hours", hours=""), ("granted_hours", "required")),
            (GrantForm("hours", hours="5", valid_until="2026-11-23"), ("valid_until", "before_start")),
            (
                GrantForm("hours", hours="5", valid_from="2026-01-01", valid_until="2026-11-23"),
                ("valid_until", "in_the_past"),
            ),
            (GrantForm("maintenance", valid_from="2026-11-01"), ("valid_until", "required")),
            (GrantForm("reseller", purchases="mucho"), ("purchases", "not_a_number")),
            (GrantForm("reseller", purchases="-1"), ("purchases", "out_of_range")),
            (GrantForm("gift"), ("kind", "not_offered")),
        ],
    )
    def test_what_cannot_be_granted_is_refused_and_nothing_written(
        self, bench: Bench, form: GrantForm, wrong: tuple[str, str]
    ) -> None:
        before = count(bench, Entitlement), count(bench, LedgerEntry), count(bench, AuditEntry)
        with pytest.raises(InvalidInput) as caught:
            grant(bench, form)
        assert problem(caught) == wrong
        assert (count(bench, Entitlement), count(bench, LedgerEntry), count(bench, AuditEntry)) == before

    def test_a_right_is_extended_or_ended_but_not_before_it_began(self, bench: Bench) -> None:
        right_id = right_of(bench, LUZ)
        with bench.writing() as (session, desk):
            right = granting.set_end(session, desk, NOW, ELENA, right_id, "2027-01-31")
            assert right.valid_until == date(2027, 1, 31)
        for typed, wrong in [("2026-11-09", "before_start"), ("", "required"), ("mañana", "not_a_date")]:
            with pytest.raises(InvalidInput) as caught, bench.writing() as (session, desk):
                granting.set_end(session, desk, NOW, ELENA, right_id, typed)
            assert problem(caught) == ("valid_until", wrong)


class TestLedger:
    def test_every_minute_is_accounted_for_with_a_running_balance(self, bench: Bench) -> None:
        right_id = right_of(bench, SOL)
        with bench.writing() as (session, desk):
            marta = bench.technician(session)
            booked = bookings.book(
                session, desk, NOW, bench.customer(session, SOL), bench.request(session, SOL, at(25, 11))
            )
            closing.start(session, desk, at(25, 11), marta, booked.id, booked.rev)
            closing.complete(
                session, desk, at(25, 12), marta, booked.id, booked.rev, closing.Closing(45, "Hecho")
            )
            right = session.get_one(Entitlement, right_id)
            ledger.correct(session, desk, at(25, 13), ELENA, right, -30, "Cobrado en la factura 12")
        with bench.writing() as (session, _):
            found = ledger.lines(session, session.get_one(Entitlement, right_id))
            assert [(line.reason, line.minutes, line.balance) for line in found] == [
                ("grant", 600, 600),
                ("hold", -60, 540),
                ("release", 60, 600),
                ("consume", -45, 555),
                ("correction", -30, 525),
            ]
            assert [line.by for line in found][1:] == [
                "Persona de Clínica Sol, S.L.",
                "Marta Ruiz",
                "Marta Ruiz",
                "Elena Campos",
            ]
            assert [bool(line.booking) for line in found] == [False, True, True, True, False]
            assert found[-1].note == "Cobrado en la factura 12"
            assert found[-1].balance == session.get_one(Entitlement, right_id).balance_minutes

    @pytest.mark.parametrize(
        ("minutes", "reason", "wrong"),
        [
            (0, "motivo largo", ("minutes", "quarter_hours")),
            (7, "motivo largo", ("minutes", "quarter_hours")),
            (15, "no", ("reason", "too_short")),
            (15, "  ", ("reason", "required")),
        ],
    )
    def test_a_correction_needs_quarter_hours_and_a_reason(
        self, bench: Bench, minutes: int, reason: str, wrong: tuple[str, str]
    ) -> None:
        right_id = right_of(bench, SOL)
        with pytest.raises(InvalidInput) as caught, bench.writing() as (session, desk):
            right = session.get_one(Entitlement, right_id)
            ledger.correct(session, desk, NOW, ELENA, right, minutes, reason)
        assert problem(caught) == wrong
        assert count(bench, LedgerEntry) == 1

    def test_a_correction_takes_no_more_than_is_there(self, bench: Bench) -> None:
        right_id = right_of(bench, SOL)
        with pytest.raises(HoursExhausted), bench.writing() as (session, desk):
            right = session.get_one(Entitlement, right_id)
            ledger.correct(session, desk, NOW, ELENA, right, -615, "demasiado")
        assert count(bench, LedgerEntry) == 1

    def test_the_reason_of_a_correction_is_not_rewritten(self, bench: Bench) -> None:
        right_id = right_of(bench, SOL)
        with bench.writing() as (session, desk):
            ledger.correct(session, desk, NOW, ELENA, session.get_one(Entitlement, right_id), 15, "un motivo")
        for statement in ("UPDATE ledger_note SET text = 'otro motivo'", "DELETE FROM ledger_note"):
            with (
                pytest.raises(Exception, match="ledger_note_append_only"),
                bench.writing() as (session, _),
            ):
                session.connection().exec_driver_sql(statement)


class TestLowBalance:
    def test_it_is_said_once_each_time_the_hours_fall_under_the_threshold(self, bench: Bench) -> None:
        right_id = right_of(bench, SOL)

        def move(minutes: int) -> int:
            with bench.writing() as (session, desk):
                right = session.get_one(Entitlement, right_id)
                ledger.correct(session, desk, NOW, ELENA, right, minutes, "para la prueba")
            with bench.writing() as (session, _):
                kinds = select(func.count()).where(Notice.kind == "low_balance")
                return session.scalar(kinds) or 0

        # 600 → 120 is the threshold itself; 105 is under it; 90 still is; up and down again is another time.
        assert [move(minutes) for minutes in (-480, -15, -15, 60, -60)] == [0, 1, 1, 1, 2]
        with bench.writing() as (session, _):
            mail = session.scalars(select(Notice).where(Notice.kind == "low_balance")).first()
            assert mail
            assert "1,75 h" in mail.subject
            assert f"/book/support/{right_id}" in mail.text

    def test_closing_a_session_does_not_warn_again_of_what_was_held(self, bench: Bench) -> None:
        right_id = right_of(bench, SOL)
        with bench.writing() as (session, desk):
            right = session.get_one(Entitlement, right_id)
            ledger.correct(session, desk, NOW, ELENA, right, -450, "deja 2,5 h")
            request = bench.request(session, SOL, at(25, 11))
            booked = bookings.book(session, desk, NOW, bench.customer(session, SOL), request)
            marta = bench.technician(session)
            closing.start(session, desk, at(25, 11), marta, booked.id, booked.rev)
            closing.complete(
                session, desk, at(25, 12), marta, booked.id, booked.rev, closing.Closing(60, "Hecho")
            )
        with bench.writing() as (session, _):
            assert session.scalar(select(func.count()).where(Notice.kind == "low_balance")) == 1
