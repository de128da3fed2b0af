"""What the tests of customers share: the dispatcher, forms, and short ways to count and grant."""

from typing import Any

import pytest
from sqlalchemy import func, select

from scheduler.actor import Actor
from scheduler.customers import granting
from scheduler.customers.granting import GrantForm
from scheduler.customers.keeping import CustomerForm
from scheduler.rules.refusals import InvalidInput
from scheduler.store.models import (
    Customer,
    Entitlement,
)
from tests.services.conftest import NOW, SOL, Bench

ELENA = Actor("dispatcher", 3, "Elena Campos")
NEW = CustomerForm("Ferretería Núñez, S.L.", "B12345674")
PURCHASE = GrantForm("purchase", serial="gx-77 01", invoice="F-1", bought_on="2026-11-20")


def problem(caught: pytest.ExceptionInfo[InvalidInput]) -> tuple[str | None, str]:
    return caught.value.field, caught.value.problem


def id_of(bench: Bench, cif: str) -> int:
    with bench.writing() as (session, _):
        return session.scalars(select(Customer.id).where(Customer.cif == cif)).one()


def right_of(bench: Bench, cif: str) -> int:
    with bench.writing() as (session, _):
        return (
            session.scalars(
                select(Entitlement.id).join(Customer).where(Customer.cif == cif).order_by(Entitlement.id)
            ).first()
            or 0
        )


def count(bench: Bench, table: Any) -> int:
    with bench.writing() as (session, _):
        return session.scalar(select(func.count()).select_from(table)) or 0


def grant(bench: Bench, form: GrantForm, cif: str = SOL) -> int:
    customer_id = id_of(bench, cif)
    with bench.writing() as (session, desk):
        return granting.grant_right(session, desk, NOW, ELENA, customer_id, form).id
