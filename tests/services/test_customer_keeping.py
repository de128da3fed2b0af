"""Dispatchers keep customers and their people, and let companies in; a refusal writes nothing."""

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select

from scheduler.actor import Actor
from scheduler.customers import claims, keeping
from scheduler.customers.keeping import ContactForm, CustomerForm
from scheduler.identity import people
from scheduler.rules.refusals import InvalidInput, NotAllowed
from scheduler.store.models import (
    AuditEntry,
    ClaimDecision,
    Contact,
    Customer,
    Entitlement,
    Notice,
    PurchaseClaim,
    SignInCode,
    WebSession,
)
from tests.services.conftest import NOW, SOL, Bench
from tests.services.customer_desk import ELENA, NEW, count, id_of, problem


class TestCustomers:
    def test_a_new_one_is_kept_and_noted(self, bench: Bench) -> None:
        with bench.writing() as (session, desk):
            row = keeping.add_customer(session, desk, NOW, ELENA, NEW)
            assert (row.cif, row.search_key) == ("B12345674", "ferreteria nunez s l b12345674")
        with bench.writing() as (session, _):
            entry = session.scalars(select(AuditEntry).order_by(AuditEntry.id.desc())).first()
            assert entry
            assert (entry.action, entry.actor) == ("customer.add", "dispatcher:3")

    @pytest.mark.parametrize(
        ("changed", "wrong"),
        [
            ({"cif": "B12345678"}, ("cif", "not_a_cif")),
            ({"cif": ""}, ("cif", "required")),
            ({"cif": SOL}, ("cif", "already_known")),
            ({"company": " "}, ("company", "required")),
            ({"company": "x" * 201}, ("company", "too_long")),
            ({"company": "a\0b"}, ("company", "control_characters")),
            ({"locale": "fr"}, ("locale", "not_offered")),
            ({"zone": "Europe/Atlantis"}, ("zone", "not_a_zone")),
            ({"zone": "../etc/passwd"}, ("zone", "not_a_zone")),
            ({"technician_id": 99}, ("technician", "not_offered")),
        ],
    )
    def test_what_cannot_be_is_said_at_its_field(
        self, bench: Bench, changed: dict[str, Any], wrong: tuple[str, str]
    ) -> None:
        before = count(bench, Customer)
        with pytest.raises(InvalidInput) as caught, bench.writing() as (session, desk):
            keeping.add_customer(session, desk, NOW, ELENA, replace(NEW, **changed))
        assert problem(caught) == wrong
        assert count(bench, Customer) == before

    @pytest.mark.parametrize("kind", ["technician", "customer"])
    def test_only_dispatchers_keep_them(self, bench: Bench, kind: Any) -> None:
        with pytest.raises(NotAllowed), bench.writing() as (session, desk):
            keeping.add_customer(session, desk, NOW, Actor(kind, 1, "x"), NEW)


class TestContacts:
    def test_one_removed_is_out_at_once(self, bench: Bench) -> None:
        with bench.writing() as (session, desk):
            person = session.scalars(select(Contact).order_by(Contact.id)).first()
            assert person
            people.send_code(session, desk, NOW, "Clínica Sol", SOL, "browser", "192.0.2.0/24")
            people.make_api_token(session, NOW, "x", person, None)
            session.add(
                WebSession(
                    token_hash="h",
                    contact_id=person.id,
                    technician_id=None,
                    generation=1,
                    created_at=NOW,
                    expires_at=NOW,
                    authenticated_at=NOW,
                )
            )
        with bench.writing() as (session, desk):
            keeping.remove_contact(session, desk, NOW, ELENA, person.id)
        assert count(bench, WebSession) == count(bench, SignInCode) == 0
        with bench.writing() as (session, _):
            assert session.get(Contact, person.id) is None

    def test_a_new_address_ends_the_sessions_another_name_does_not(self, bench: Bench) -> None:
        with bench.writing() as (session, desk):
            person = session.scalars(select(Contact).order_by(Contact.id)).first()
            assert person
            same = ContactForm("Otra", person.email.upper())
            keeping.change_contact(session, desk, NOW, ELENA, person.id, same)
            assert person.session_generation == 1
            keeping.change_contact(session, desk, NOW, ELENA, person.id, ContactForm("Otra", "o@sol.example"))
            assert person.session_generation == 2

    @pytest.mark.parametrize(
        ("form", "wrong"),
        [
            (ContactForm("Ana", "ana"), ("email", "not_an_email")),
            (ContactForm("Ana", "a@b c.es"), ("email", "not_an_email")),
            (ContactForm("Ana", "ana@sol"), ("email", "not_an_email")),
            (ContactForm("", "ana@sol.example"), ("name", "required")),
            (ContactForm("Ana", "A@B46100343.example"), ("email", "already_a_contact")),
            (ContactForm("Ana", "ana@sol.example", "9" * 41), ("phone", "too_long")),
        ],
    )
    def test_what_cannot_be_is_said_at_its_field(
        self, bench: Bench, form: ContactForm, wrong: tuple[str, str]
    ) -> None:
        customer_id = id_of(bench, SOL)
        with pytest.raises(InvalidInput) as caught, bench.writing() as (session, desk):
            keeping.add_contact(session, desk, NOW, ELENA, customer_id, form)
        assert problem(caught) == wrong


class TestClaims:
    @pytest.fixture
    def claim(self, bench: Bench) -> int:
        with bench.writing() as (session, _):
            texts = {
                "company": "Ferretería Núñez",
                "cif": "B12345674",
                "email": "a@nunez.example",
                "serial": "gx-9",
            }
            return people.claim_purchase(session, NOW, "192.0.2.0/24", **texts).id

    def accepted(self, bench: Bench, claim: int, **changed: Any) -> Entitlement:
        with bench.writing() as (session, desk):
            form = claims.typed(session.get_one(PurchaseClaim, claim))
            form = replace(form, **({"bought_on": "2026-11-20"} | changed))
            return claims.accept(session, desk, NOW, ELENA, claim, form)

    def test_an_accepted_one_may_book(self, bench: Bench, claim: int) -> None:
        right = self.accepted(bench, claim)
        with bench.writing() as (session, _):
            row = session.get_one(Customer, right.customer_id)
            assert (row.cif, row.contacts[0].email) == ("B12345674", "a@nunez.example")
            assert claims.open_claims(session) == []
            mail = session.scalars(select(Notice).where(Notice.kind == "claim_accepted")).one()
            assert "20 de diciembre, 2026" in mail.text
            assert people.find_customer(session, "ferreteria nunez", "B12345674") is row

    def test_one_of_a_known_company_is_linked_not_doubled(self, bench: Bench, claim: int) -> None:
        before = count(bench, Customer)
        right = self.accepted(bench, claim, customer=CustomerForm("otra cosa", SOL))
        assert count(bench, Customer) == before
        assert right.customer_id == id_of(bench, SOL)
        with bench.writing() as (session, _):
            row = session.get_one(Customer, right.customer_id)
            assert (row.company, len(row.contacts)) == ("Clínica Sol, S.L.", 2)

    def test_a_serial_that_was_used_stops_it_whole(self, bench: Bench, claim: int) -> None:
        before = count(bench, Customer)
        with pytest.raises(InvalidInput) as caught:
            self.accepted(bench, claim, serial="GX-1")
        assert problem(caught) == ("serial", "already_used")
        assert count(bench, Customer) == before
        assert count(bench, ClaimDecision) == 0

    def test_a_refused_one_is_told_why(self, bench: Bench, claim: int) -> None:
        with bench.writing() as (session, desk):
            claims.refuse(session, desk, NOW, ELENA, claim, "Ese número no es nuestro.", "en")
        with bench.writing() as (session, _):
            mail = session.scalars(select(Notice).where(Notice.kind == "claim_refused")).one()
            assert "Ese número no es nuestro." in mail.text
            assert (mail.locale, mail.to_address) == ("en", "a@nunez.example")

    @pytest.mark.parametrize(("reason", "wrong"), [("", "required"), ("no", "too_short")])
    def test_no_reason_no_refusal(self, bench: Bench, claim: int, reason: str, wrong: str) -> None:
        with pytest.raises(InvalidInput) as caught, bench.writing() as (session, desk):
            claims.refuse(session, desk, NOW, ELENA, claim, reason, "es")
        assert problem(caught) == ("reason", wrong)
        assert count(bench, ClaimDecision) == count(bench, Notice) == 0

    def test_it_is_decided_once(self, bench: Bench, claim: int) -> None:
        self.accepted(bench, claim)
        with pytest.raises(InvalidInput) as caught, bench.writing() as (session, desk):
            claims.refuse(session, desk, NOW, ELENA, claim, "Ese número no es nuestro.", "es")
        assert problem(caught) == ("claim", "already_decided")
