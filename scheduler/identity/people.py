"""Customers, contacts and technicians: who they are and how they prove it."""

import hashlib
import hmac
import secrets
import unicodedata
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session
from stdnum.es import cif as spanish_cif
from stdnum.exceptions import ValidationError

from scheduler.context import DeskContext
from scheduler.identity.passwords import verify_password
from scheduler.links import token_hash
from scheduler.mailing import notices
from scheduler.rules.refusals import InvalidInput, TooManyTries
from scheduler.rules.text import clean_text
from scheduler.store.models import (
    ApiToken,
    Contact,
    Customer,
    FormerCustomer,
    PurchaseClaim,
    RateEvent,
    SignInCode,
    Technician,
)

CODE_LIFE = timedelta(minutes=10)
CODES_PER_WINDOW = 3
CODE_WINDOW = timedelta(minutes=15)
_BUCKET_LOCKS = 0x5241  # first half of the advisory lock's key; the second is the bucket's hash


def clean_cif(value: str) -> str:
    """The compact CIF (B12345674). Raises InvalidInput("cif", "not_a_cif") when its check digit is wrong."""
    cleaned = clean_text("cif", value, 20)
    try:
        # On invoices it often stands as the VAT number, with ES in front.
        return str(spanish_cif.validate(spanish_cif.compact(cleaned).removeprefix("ES")))
    except ValidationError:
        raise InvalidInput("cif", "not_a_cif", example="B12345674") from None


def find_customer(session: Session, company: str, cif: str) -> Customer | None:
    """The customer with this CIF whose company name matches too, ignoring case, accents and the legal form.

    What it was called before it was merged into another counts as well.
    """
    customer = session.scalar(select(Customer).where(Customer.cif == cif))
    if customer is not None:
        return customer if _same_company(customer.company, company) else None
    former = session.scalar(select(FormerCustomer).where(FormerCustomer.cif == cif))
    return former.customer if former and _same_company(former.company, company) else None


def send_code(
    session: Session, desk: DeskContext, now: datetime, company: str, cif: str, browser: str, network: str
) -> None:
    """Mail a six-digit code to the customer's registered address, if the data match; say nothing either way.

    `browser` is a random cookie value that the code is bound to; `network` the caller's /24 or /64.
    Raises InvalidInput for a wrong CIF and TooManyTries(retry_at) for the network or the company, known or not.
    """
    company = clean_text("company", company, 200)
    cif = clean_cif(cif)
    count_or_refuse(session, f"code:net:{network}", CODES_PER_WINDOW * 4, CODE_WINDOW, now)
    count_or_refuse(session, f"code:cif:{cif}", CODES_PER_WINDOW, CODE_WINDOW, now)
    customer = find_customer(session, company, cif)
    contact = customer.contacts[0] if customer and customer.contacts else None
    code = f"{secrets.randbelow(1_000_000):06d}"
    if customer is None or contact is None:
        return
    row = SignInCode(
        contact_id=contact.id,
        code_hash=_code_hash(desk, code, browser),
        browser_hash=token_hash(browser),
        expires_at=now + CODE_LIFE,
    )
    session.add(row)
    session.flush()
    reader = notices.Reader(contact.name, contact.email, customer.locale)
    notices.write(session, desk, now, f"code:{row.id}", "code", reader, {"code": code})


@dataclass(frozen=True, slots=True)
class Redemption:
    """How a try of a code ended: the contact who may come in, or how many tries are left."""

    contact: Contact | None
    tries_left: int


def redeem_code(session: Session, desk: DeskContext, now: datetime, code: str, browser: str) -> Redemption:
    """Try a code mailed to this browser. A value, not a refusal: a raise would roll the counted try back."""
    digits = "".join(character for character in code if character.isdigit() and character.isascii())
    row = session.scalar(
        select(SignInCode)
        .where(
            SignInCode.browser_hash == token_hash(browser),
            SignInCode.used_at.is_(None),
            SignInCode.expires_at > now,
        )
        .order_by(SignInCode.id.desc())
        .limit(1)
    )
    left = _count_try(session, row.id) if row else None
    if row is None or left is None:
        return Redemption(None, 0)
    right = hmac.compare_digest(row.code_hash, _code_hash(desk, digits, browser))
    if not right or not _use_up(session, row.id, now):
        return Redemption(None, left)
    return Redemption(session.get_one(Contact, row.contact_id), left)


def _count_try(session: Session, code_id: int) -> int | None:
    # Counted before comparing and by one statement, so that parallel guesses share the five tries.
    return session.scalar(
        update(SignInCode)
        .where(SignInCode.id == code_id, SignInCode.tries_left > 0)
        .values(tries_left=SignInCode.tries_left - 1)
        .returning(SignInCode.tries_left)
    )


def _use_up(session: Session, code_id: int, now: datetime) -> bool:
    # The UPDATE decides who redeems it, so that of many parallel tries one wins.
    used = session.scalar(
        update(SignInCode)
        .where(SignInCode.id == code_id, SignInCode.used_at.is_(None))
        .values(used_at=now)
        .returning(SignInCode.id)
    )
    return used is not None


def sign_in_staff(
    session: Session, now: datetime, email: str, password: str, network: str
) -> Technician | None:
    """The technician with this e-mail and password, or None. Raises TooManyTries after ten wrong ones in 15 min.

    A value, not a refusal, so that the caller's commit keeps the counted try.
    """
    email = email.strip().casefold()
    buckets = {
        f"staff:net:{network}": 40,
        f"staff:{hashlib.sha256(email.encode()).hexdigest()[:32]}": 10,
    }
    for bucket, limit in buckets.items():
        refuse_full(session, bucket, limit, CODE_WINDOW, now)
    person = session.scalar(
        select(Technician).where(func.lower(Technician.email) == email, Technician.active == 1)
    )
    # An unknown address costs the same hashing time, so that the answer does not tell who works here.
    if not verify_password(person.password_hash if person else None, password) or person is None:
        session.add_all(RateEvent(bucket=bucket, at=now) for bucket in buckets)
        return None
    return person


def claim_purchase(session: Session, now: datetime, network: str, **texts: str) -> PurchaseClaim:
    """A company we do not know asks the dispatcher to be let in. Raises InvalidInput, TooManyTries."""
    count_or_refuse(session, f"claim:net:{network}", 5, timedelta(hours=1), now)
    cleaned = {
        name: clean_text(name, texts.get(name, ""), 200) for name in ("company", "email", "serial", "invoice")
    }
    for name in ("company", "email", "serial"):
        if not cleaned[name]:
            raise InvalidInput(name, "required")
    if "@" not in cleaned["email"][1:-1] or " " in cleaned["email"]:
        raise InvalidInput("email", "not_an_email", example="nombre@empresa.example")
    claim = PurchaseClaim(**cleaned, cif=clean_cif(texts.get("cif", "")), created_at=now)
    session.add(claim)
    session.flush()
    return claim


def count_or_refuse(session: Session, bucket: str, limit: int, window: timedelta, now: datetime) -> None:
    """Count one try in a bucket. Raises TooManyTries(retry_at) when the window already holds `limit` of them.

    Call it in a transaction that is committed even when the try fails, or the tries are never counted.
    """
    refuse_full(session, bucket, limit, window, now)
    session.add(RateEvent(bucket=bucket, at=now))
    session.flush()


def refuse_full(session: Session, bucket: str, limit: int, window: timedelta, now: datetime) -> None:
    """Raise TooManyTries(retry_at) when the window already holds `limit` tries; whoever counts one commits it."""
    if session.get_bind().dialect.name == "postgresql":
        # Parallel tries would each count without the others and all be let through.
        session.execute(select(func.pg_advisory_xact_lock(_BUCKET_LOCKS, func.hashtext(bucket))))
    recent = session.scalars(
        select(RateEvent.at)
        .where(RateEvent.bucket == bucket, RateEvent.at > now - window)
        .order_by(RateEvent.at)
    ).all()
    if len(recent) >= limit:
        raise TooManyTries(retry_at=recent[-limit] + window)


def make_api_token(
    session: Session, now: datetime, label: str, contact: Contact | None, technician: Technician | None
) -> str:
    """A new bearer token that acts for one person; shown once, only its hash is kept."""
    token = f"vnt_{secrets.token_urlsafe(32)}"
    session.add(
        ApiToken(
            token_hash=token_hash(token),
            contact_id=contact.id if contact else None,
            technician_id=technician.id if technician else None,
            label=clean_text("label", label, 100),
            created_at=now,
        )
    )
    return token


def _code_hash(desk: DeskContext, code: str, browser: str) -> str:
    # Keyed: six digits alone are found in a stolen database by trying a million.
    return hmac.new(
        desk.installation.keys.link, f"code:{browser}:{code}".encode(), hashlib.sha256
    ).hexdigest()


def _same_company(stored: str, typed: str) -> bool:
    return _company_key(stored) == _company_key(typed)


def _company_key(name: str) -> str:
    plain = unicodedata.normalize("NFKD", name.casefold())
    letters = "".join(c if c.isalnum() else " " for c in plain if not unicodedata.combining(c))
    # "S.L." arrives as the single letters s and l, so these count as legal form too.
    words = letters.split()
    forms = {"sl", "sa", "slu", "sau", "sll", "sc", "scp", "cb", "coop", "s", "l", "a", "u", "c", "p", "b"}
    while len(words) > 1 and words[-1] in forms:
        words.pop()
    return " ".join(words)
