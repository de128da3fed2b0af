"""Finding a customer by what a dispatcher types: pieces of the name, with or without accents, or of the CIF."""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import Session, joinedload, selectinload

from scheduler.rules.text import search_words
from scheduler.store.models import Customer, FormerCustomer

PAGE = 50
"""Customers on one page of the list."""


@dataclass(frozen=True, slots=True)
class Found:
    """One page of customers by name, whatever its case and accents; `more` says whether others follow."""

    customers: list[Customer]
    more: bool


def find_customers(session: Session, typed: str, page: int = 1) -> Found:
    """The customers whose name or CIF has every typed word in it, ignoring case and accents; all for no word.

    `page` counts from 1.
    """
    query = (
        select(Customer)
        .options(joinedload(Customer.technician), selectinload(Customer.contacts))
        # Not by the name itself: to a database "Óptica" comes after "Zapatos".
        .order_by(Customer.search_key, Customer.id)
    )
    for word in search_words(typed):
        query = query.where(_has(word))
    rows = list(session.scalars(query.offset((page - 1) * PAGE).limit(PAGE + 1)))
    return Found(rows[:PAGE], len(rows) > PAGE)


def _has(word: str) -> ColumnElement[bool]:
    """The word in the customer's name or CIF, or in those it had before a merge."""
    former = select(FormerCustomer.customer_id).where(
        FormerCustomer.search_key.contains(word, autoescape=True)
    )
    return or_(Customer.search_key.contains(word, autoescape=True), Customer.id.in_(former))
