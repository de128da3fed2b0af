"""How people come in: codes by mail for customers, passwords for staff, claims for companies we do not know."""

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import func, select, update

from fixtures.databases import Database
from scheduler.identity import people
from scheduler.identity.passwords import hash_password
from scheduler.rules.refusals import InvalidInput, TooManyTries
from scheduler.store.models import Notice, PurchaseClaim, SignInCode, Technician
from tests.services.conftest import NOW, SOL, Bench, make_bench

COMPANY = "Clínica Sol, S.L."
BROWSER, OTHER_BROWSER = "b" * 43, "o" * 43
UNKNOWN = "B46000220"
HOME = "203.0.113.0/24"


def ask(
    bench: Bench, company: str = COMPANY, cif: str = SOL, browser: str = BROWSER, net: str = HOME
) -> None:
    with bench.writing() as (session, desk):
        people.send_code(session, desk, bench.now, company, cif, browser, net)


def mailed(bench: Bench) -> list[str]:
    """The codes of all mails, oldest first."""
    with bench.writing() as (session, _):
        subjects = session.scalars(select(Notice.subject).where(Notice.kind == "code").order_by(Notice.id))
        return [subject[:6] for subject in subjects]


def redeem(bench: Bench, code: str, browser: str = BROWSER) -> people.Redemption:
    with bench.writing() as (session, desk):
        return people.redeem_code(session, desk, bench.now, code, browser)


def test_the_mailed_code_lets_the_contact_in(bench: Bench) -> None:
    ask(bench)
    (code,) = mailed(bench)
    assert re.fullmatch(r"\d{6}", code)
    redeemed = redeem(bench, f" {code[:3]} {code[3:]} ")
    assert redeemed.contact is not None
    assert redeemed.contact.email == f"a@{SOL.lower()}.example"


def test_the_code_itself_is_not_kept(bench: Bench) -> None:
    ask(bench)
    with bench.writing() as (session, _):
        row = session.scalars(select(SignInCode)).one()
        kept = f"{row.code_hash} {row.browser_hash}"
    assert mailed(bench)[0] not in kept
    assert BROWSER not in kept


@pytest.mark.parametrize(
    ("company", "cif"), [("Otra Empresa, S.L.", SOL), (COMPANY, UNKNOWN), ("Nadie, S.A.", UNKNOWN)]
)
def test_unknown_people_see_what_known_ones_see(bench: Bench, company: str, cif: str) -> None:
    ask(bench, company, cif)  # no refusal, no word
    assert mailed(bench) == []
    assert redeem(bench, "123456") == people.Redemption(None, 0)


@pytest.mark.parametrize(
    "typed",
    [
        "Clínica Sol, S.L.",
        "clinica sol",
        "CLINICA SOL SL",
        "Clinica  Sol, s. l.",
        "Clínica Sol S.L.U.",
        "  Clínica-Sol ",
        "Cli\u0301nica Sol",
    ],
)
def test_company_names_match_as_people_write_them(bench: Bench, typed: str) -> None:
    ask(bench, typed)
    assert len(mailed(bench)) == 1


@pytest.mark.parametrize(
    "typed", ["Clínica", "Clínica Soles", "Sol, S.L.", "S.L.", "Clínica Sol Levante, S.L."]
)
def test_other_company_names_do_not_match(bench: Bench, typed: str) -> None:
    ask(bench, typed)
    assert mailed(bench) == []


@pytest.mark.parametrize("cif", ["B46100344", "46100343", "X", "", "B4610034", "B46100343\x00", "b" * 300])
def test_a_wrong_cif_is_named(bench: Bench, cif: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        ask(bench, cif=cif)
    assert refused.value.field == "cif"


@pytest.mark.parametrize("cif", ["B-46100343", "b46100343", " B 46100343 ", "ESB46100343"])
def test_a_cif_is_read_as_people_write_it(bench: Bench, cif: str) -> None:
    ask(bench, cif=cif)
    assert len(mailed(bench)) == 1


def test_a_code_is_bound_to_the_browser_that_asked(bench: Bench) -> None:
    ask(bench)
    assert redeem(bench, mailed(bench)[0], OTHER_BROWSER).contact is None
    assert redeem(bench, mailed(bench)[0]).contact is not None


def test_a_code_is_used_once(bench: Bench) -> None:
    ask(bench)
    assert redeem(bench, mailed(bench)[0]).contact is not None
    assert redeem(bench, mailed(bench)[0]) == people.Redemption(None, 0)


def test_a_code_lasts_ten_minutes(bench: Bench) -> None:
    ask(bench)
    bench.now = NOW + timedelta(minutes=10)
    assert redeem(bench, mailed(bench)[0]).contact is None
    bench.now = NOW + timedelta(minutes=9, seconds=59)
    assert redeem(bench, mailed(bench)[0]).contact is not None


def test_five_tries_and_no_more(bench: Bench) -> None:
    ask(bench)
    code = mailed(bench)[0]
    wrong = f"{(int(code) + 1) % 1_000_000:06d}"
    assert [redeem(bench, wrong).tries_left for _ in range(5)] == [4, 3, 2, 1, 0]
    assert redeem(bench, code) == people.Redemption(None, 0)


def test_parallel_guesses_share_the_five_tries(bench: Bench) -> None:
    ask(bench)
    wrong = f"{(int(mailed(bench)[0]) + 1) % 1_000_000:06d}"
    with ThreadPoolExecutor(8) as pool:
        left = sorted(pool.map(lambda _: redeem(bench, wrong).tries_left, range(16)))
    assert left == [0] * 12 + [1, 2, 3, 4]


def test_of_parallel_redemptions_one_wins(bench: Bench) -> None:
    ask(bench)
    code = mailed(bench)[0]
    with ThreadPoolExecutor(4) as pool:
        won = [redemption.contact for redemption in pool.map(lambda _: redeem(bench, code), range(4))]
    assert sum(contact is not None for contact in won) == 1


@pytest.mark.parametrize("cif", [SOL, UNKNOWN])
def test_three_codes_in_a_quarter_of_an_hour_for_known_and_unknown(bench: Bench, cif: str) -> None:
    for number in range(3):
        ask(bench, cif=cif, net=f"203.0.{number}.0/24")
    with pytest.raises(TooManyTries) as refused:
        ask(bench, cif=cif, net="198.51.100.0/24")
    assert refused.value.facts["retry_at"] == NOW + timedelta(minutes=15)
    bench.now = NOW + timedelta(minutes=15)
    ask(bench, cif=cif, net="198.51.100.0/24")


def test_one_network_cannot_ask_for_everybody(bench: Bench) -> None:
    cifs = ["B46100343", "B12100517", "B46100731", UNKNOWN]
    for cif in cifs * 3:
        ask(bench, cif=cif)
    with pytest.raises(TooManyTries):
        ask(bench, cif="A58818501")


PASSWORD = "una frase larga de paso"


@pytest.fixture
def staffed(database: Database) -> Bench:
    """Marta has a password."""
    made = make_bench(database)
    with made.writing() as (session, _):
        session.execute(
            update(Technician)
            .where(Technician.name == "Marta Ruiz")
            .values(password_hash=hash_password(PASSWORD))
        )
    return made


def sign_in(bench: Bench, email: str, password: str, net: str = HOME) -> Technician | None:
    with bench.writing() as (session, _):
        return people.sign_in_staff(session, bench.now, email, password, net)


def test_staff_come_in_by_password(staffed: Bench) -> None:
    found = sign_in(staffed, "  Marta@Levantia.example ", PASSWORD)
    assert found is not None
    assert found.name == "Marta Ruiz"


def test_who_knows_the_password_is_never_locked_out_by_coming_often(staffed: Bench) -> None:
    for _ in range(12):
        assert sign_in(staffed, "marta@levantia.example", PASSWORD) is not None
    for _ in range(9):
        assert sign_in(staffed, "marta@levantia.example", "otra frase larga") is None
    assert sign_in(staffed, "marta@levantia.example", PASSWORD) is not None


@pytest.mark.parametrize(
    ("email", "password"),
    [
        ("marta@levantia.example", "otra frase larga"),
        ("marta@levantia.example", ""),
        ("jordi@levantia.example", PASSWORD),  # has no password
        ("nadie@levantia.example", PASSWORD),
        ("", ""),
        ("marta@levantia.example", PASSWORD + "x" * 300),
    ],
)
def test_others_do_not(staffed: Bench, email: str, password: str) -> None:
    assert sign_in(staffed, email, password) is None


def test_a_technician_who_left_does_not_come_in(staffed: Bench) -> None:
    with staffed.writing() as (session, _):
        session.execute(update(Technician).values(active=False))
    assert sign_in(staffed, "marta@levantia.example", PASSWORD) is None


def test_ten_tries_for_one_person_known_or_not(staffed: Bench) -> None:
    for email in ("marta@levantia.example", "nadie@levantia.example"):
        for number in range(10):
            assert sign_in(staffed, email, "no es esta frase", f"203.0.{number}.0/24") is None
        with pytest.raises(TooManyTries):
            sign_in(staffed, email.upper(), PASSWORD, "198.51.100.0/24")


CLAIM = {
    "company": "Nueva, S.L.",
    "cif": UNKNOWN,
    "email": "compras@nueva.example",
    "serial": "GX-77",
    "invoice": "F-1",
}


def test_a_company_we_do_not_know_can_claim_its_purchase(bench: Bench) -> None:
    with bench.writing() as (session, _):
        people.claim_purchase(session, NOW, HOME, **CLAIM)
        row = session.scalars(select(PurchaseClaim)).one()
        assert (row.company, row.cif, row.created_at) == ("Nueva, S.L.", UNKNOWN, NOW)


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"company": ""}, "company"),
        ({"company": "x" * 201}, "company"),
        ({"cif": "B00"}, "cif"),
        ({"email": "compras"}, "email"),
        ({"email": "a b@nueva.example"}, "email"),
        ({"email": "@nueva.example"}, "email"),
        ({"email": ""}, "email"),
        ({"serial": "  "}, "serial"),
        ({"serial": "GX\r\nBcc: todos"}, "serial"),
        ({"company": "Nue\u202eva"}, "company"),
    ],
)
def test_a_wrong_claim_names_its_field_and_writes_nothing(
    bench: Bench, changed: dict[str, str], field: str
) -> None:
    with pytest.raises(InvalidInput) as refused, bench.writing() as (session, _):
        people.claim_purchase(session, NOW, HOME, **(CLAIM | changed))
    assert refused.value.field == field
    with bench.writing() as (session, _):
        assert session.scalar(select(func.count()).select_from(PurchaseClaim)) == 0


def test_claims_of_one_network_are_limited(bench: Bench) -> None:
    with bench.writing() as (session, _):
        for _ in range(5):
            people.claim_purchase(session, NOW, HOME, **CLAIM)
        with pytest.raises(TooManyTries):
            people.claim_purchase(session, NOW, HOME, **CLAIM)


def test_parallel_requests_share_the_limit(bench: Bench) -> None:
    def try_one(number: int) -> bool:
        try:
            ask(bench, net=f"203.0.{number}.0/24")
        except TooManyTries:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(try_one, range(8))) == 3
    assert len(mailed(bench)) == 3
