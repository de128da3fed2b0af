"""Each support condition as a customer meets it in the browser; `docs/conditions.md` names these tests."""

import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conditions_desk import NUMBER, ConditionsDesk
from tests.web.technician_desk import NOW


@pytest.fixture
def house(conditions_desk: ConditionsDesk) -> Iterator[ConditionsDesk]:
    yield conditions_desk
    conditions_desk.desk.clock.now = NOW


PASSWORD = "[name=credential_kind][value=password]"


def said(page: Page, *texts: str) -> None:
    """All of these stand on the page."""
    for text in texts:
        expect(page.locator("main")).to_contain_text(text)


def go_on(page: Page) -> None:
    page.locator("main form button.primary").first.click()


def to_times(house: ConditionsDesk, name: str, **options: object) -> Page:
    """The fourth step with what is preselected."""
    page = house.customer(name, **options)
    page.goto(house.url + "/book/entitlement")
    go_on(page)
    page.wait_for_url("**/book/system?**")
    go_on(page)
    page.wait_for_url("**/book/time?**")
    return page


def book(page: Page, slot: int) -> None:
    """Pick a time and confirm it."""
    page.locator("[data-row]").nth(slot).check(force=True)
    expect(page.locator("#summary .held")).to_be_visible()
    page.locator("#summary button").click()


def bookings(house: ConditionsDesk, name: str) -> int:
    """How many sessions the customer has."""
    page = house.dispatcher()
    page.goto(house.page_of(name))
    return page.locator("#bookings li").count()


def test_c1_thirty_days_by_mail_and_the_last_day_counts(house: ConditionsDesk) -> None:
    page = house.customer("last day")
    page.goto(house.url + "/book/entitlement")
    said(page, "Soporte gratuito de 30 días", "GX-2, hoy es el último día, hasta el 24 de noviembre de 2026")
    page.get_by_role("link", name="Consultar por correo").click()
    page.locator("#serial").select_option(label="GX-2, hasta el 24 de noviembre de 2026")
    page.locator("[name=topic][value=dial]").check()
    page.locator("#text").fill("Marca y cuelga siempre al segundo tono.")
    page.get_by_role("button", name="Enviar a soporte").click()
    page.wait_for_url(re.compile(r"/book/mail/\d+"))
    said(page, "GX-2", "Marca y cuelga siempre", "El comando Dial")
    late = house.customer("day after")
    late.goto(house.url + "/book/mail")
    said(late, "Terminó el lunes 23 de noviembre.", "horas o un contrato de mantenimiento")
    expect(late.locator("#serial")).to_have_count(0)


def test_c2_an_included_topic_is_asked_for_and_books(house: ConditionsDesk) -> None:
    page = house.customer("new device")
    page.goto(house.url + "/book/entitlement")
    said(page, "El comando Dial para tarjetas y terminales IP", "(sip.conf, iax.conf)")
    go_on(page)
    expect(page.locator("[data-refused~=topic_required]")).to_be_visible()
    page.locator("[name=topic][value=terminals]").check()
    go_on(page)
    page.wait_for_url("**topic=terminals**")
    go_on(page)
    page.wait_for_url("**/book/time?**")
    book(page, 8)
    page.wait_for_url("**/a/*")
    said(page, "Reserva confirmada")


def test_c3_an_excluded_topic_is_refused_with_the_way_on(house: ConditionsDesk) -> None:
    page = house.customer("device and bundle")
    page.goto(house.url + "/book/mail")
    page.locator("[name=topic][value=network]").check()
    page.locator("#text").fill("¿Cómo abrimos los puertos del router?")
    page.get_by_role("button", name="Enviar a soporte").click()
    expect(page.locator("[data-refused~=topic_excluded]")).to_be_visible()
    said(page, "Routers, conmutadores y red del cliente", "bono de horas")
    expect(page.locator("#text")).to_have_value("¿Cómo abrimos los puertos del router?")
    # The way on is open: with the bundle nobody asks for a topic.
    page.goto(house.url + "/book/entitlement")
    page.get_by_label("Bono de horas").first.check(force=True)
    go_on(page)
    page.wait_for_url(re.compile(r"/book/system\?entitlement=\d+$"))


def test_c4_hours_are_booked_with_the_own_technician_and_the_ledger_shows_it(house: ConditionsDesk) -> None:
    page = to_times(house, "bundle")
    expect(page.locator("[name=technician]").first).to_contain_text("Jordi Soler")
    page.locator("[data-row]").nth(12).check(force=True)
    expect(page.locator("#summary")).to_contain_text("Jordi Soler")
    expect(page.locator("#summary")).to_contain_text("9 h")
    page.locator("#summary button").click()
    page.wait_for_url("**/a/*")
    said(page, "Jordi Soler se conectará a")
    page.goto(house.url + "/book/entitlement")
    said(page, "disponibles de 10 h")
    page.get_by_role("link", name="Todos los apuntes").click()
    expect(page.locator("table tbody tr")).to_have_count(2)
    said(page, "+10 h", "−1 h")


def test_c5_a_contract_books_until_its_last_day(house: ConditionsDesk) -> None:
    page = to_times(house, "contract")
    said(page, "Contrato de mantenimiento", "hasta el 31 de diciembre de 2026")
    page.goto(page.url + "&from=2027-01-05")
    page.locator("[data-row]").first.check(force=True)
    expect(page.locator("#summary [data-refused~=not_entitled]")).to_contain_text("31 de diciembre")
    page.goto(re.sub("from=[^&]*", "from=2026-12-15", page.url))
    book(page, 0)
    page.wait_for_url("**/a/*")
    said(page, "diciembre", "Jordi Soler")


def test_c6_a_return_is_asked_for_and_nothing_is_shipped_yet(house: ConditionsDesk) -> None:
    page = house.customer("bundle")
    page.goto(house.url + "/book/entitlement")
    page.get_by_role("link", name="Devolver un equipo").click()
    said(page, "no envíe nada antes de tener el código RMA")
    page.locator("#serial").fill("GX-77")
    page.locator("#symptoms").fill("No enciende")
    page.locator("#symptoms").evaluate("field => field.value = 'No va'")
    go_on(page)
    expect(page.locator("#symptoms-error")).to_contain_text("10")
    page.locator("#symptoms").fill("No enciende desde ayer, probado con otra fuente.")
    go_on(page)
    page.wait_for_url(re.compile(r"/book/rma/\d+$"))
    said(page, "GX-77", "No enciende desde ayer")
    expect(page.locator("main")).not_to_contain_text("Código RMA")
    page.goto(house.url + "/book/rma")
    page.locator("#serial").fill("GX-77")
    page.locator("#symptoms").fill("No enciende desde ayer, probado con otra fuente.")
    go_on(page)
    expect(page.locator("#serial-error")).to_be_visible()


@pytest.mark.parametrize(
    ("name", "shown"), [("reseller", True), ("small reseller", False), ("bundle", False)]
)
def test_c7_the_resellers_number_is_for_resellers(house: ConditionsDesk, name: str, shown: bool) -> None:
    page = house.customer(name)
    page.goto(house.url + "/book/entitlement")
    expect(page.locator("main a", has_text=NUMBER)).to_have_count(int(shown))
    if name == "small reseller":
        said(page, "Las compras no superan 6.000 €.")


def new_door(house: ConditionsDesk, platform: str, method: str, **typed: str) -> Page:
    """The form of a new PBX, sent with what the page would not let anybody choose, too."""
    page = house.customer("another bundle")
    page.goto(f"{house.url}/book/system/new?entitlement={house.right('another bundle')}")
    for choice in (f"[name=platform][value='{platform}']", f"[name=method][value={method}]", PASSWORD):
        page.locator(choice).evaluate("radio => { radio.checked = true }")
    for name, value in (
        {"host": "pbx.sol.example", "username": "soporte", "password": "x1y2z3"} | typed
    ).items():
        page.locator(f"#{name}").fill(value, force=True)
    go_on(page)
    return page


@pytest.mark.parametrize("platform", ["asterisk", "elastix"])
def test_c8_asterisk_and_elastix_are_entered_by_ssh(house: ConditionsDesk, platform: str) -> None:
    page = house.customer("another bundle")
    page.goto(f"{house.url}/book/system/new?entitlement={house.right('another bundle')}")
    page.locator(f"#platform input[value={platform}]").check()
    expect(page.locator("#method .choice:visible")).to_have_count(1)
    expect(page.locator("#method .choice:visible input")).to_have_value("ssh")
    refused = new_door(house, platform, "vnc")
    expect(refused.locator("[data-refused~=method_not_accepted]")).to_contain_text("SSH")


def test_c9_3cx_is_entered_by_one_of_three(house: ConditionsDesk) -> None:
    page = house.customer("another bundle")
    page.goto(f"{house.url}/book/system/new?entitlement={house.right('another bundle')}")
    page.locator("#platform input[value='3cx']").check()
    expect(page.locator("#method .choice:visible")).to_have_count(3)
    values = page.locator("#method .choice:visible input").evaluate_all("all => all.map(it => it.value)")
    assert values == ["rdp", "vnc", "web"]
    refused = new_door(house, "3cx", "ssh")
    expect(refused.locator("[data-refused~=method_not_accepted]")).to_contain_text("VNC")
    kept = new_door(house, "3cx", "vnc", port="5900", name="3CX de la tienda")
    kept.wait_for_url("**/book/time?**")


def test_c10_commercial_tools_are_refused_with_what_is_accepted(house: ConditionsDesk) -> None:
    page = new_door(house, "asterisk", "ssh", name="Team  Viewer 15")
    expect(page.locator("[data-refused~=tool_not_accepted]")).to_contain_text("TeamViewer")
    said(page, "SSH")
    page = to_times(house, "another bundle")
    page.locator("#description").fill("Conecten por any-desk, por favor.")
    book(page, 20)
    expect(page.locator("[data-refused~=tool_not_accepted]")).to_contain_text("AnyDesk")
    expect(page.locator("#description")).to_have_value("Conecten por any-desk, por favor.")
    assert bookings(house, "another bundle") == 0


def test_c11_eight_hours_of_attention_are_shown_and_held_to(house: ConditionsDesk) -> None:
    page = to_times(house, "device and bundle", java_script_enabled=False)
    said(page, "Puede reservar desde el miércoles 25 de noviembre, 10:10")
    page.locator("#lead-box summary").click()
    said(page, "6 h 50 min", "1 h 10 min")
    first = page.locator("[data-row]").first
    assert first.get_attribute("value") == "2026-11-25T09:30Z"
    first.check(force=True)
    house.desk.clock.now = NOW + timedelta(minutes=25)
    page.locator("#summary button").click()
    refused = page.locator("[data-refused~=lead_time_too_short]")
    expect(refused).to_contain_text("miércoles 25 de noviembre, 10:35")
    expect(page.locator(".instead button, .instead label, .instead a")).to_have_count(3)
    assert bookings(house, "device and bundle") == 0
