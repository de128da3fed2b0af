"""Each support condition as the dispatcher meets it in the browser; `docs/conditions.md` names these tests."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conditions_desk import NUMBER, ConditionsDesk


def said(page: Page, *texts: str) -> None:
    """All of these stand on the page."""
    for text in texts:
        expect(page.locator("main")).to_contain_text(text)


def grant(house: ConditionsDesk, name: str, kind: str, **typed: str) -> Page:
    """The form of a right of this kind, sent."""
    page = house.dispatcher()
    page.goto(house.page_of(name, f"/support/new?kind={kind}"))
    for field, value in typed.items():
        page.locator(f"#{field}").fill(value)
    page.get_by_role("button", name="Conceder").click()
    return page


def book(house: ConditionsDesk, name: str, start: str, page: Page | None = None, **typed: str) -> Page:
    """The form to book for this customer, sent; `start` on the desk's clock."""
    page = page or house.dispatcher()
    page.goto(house.url + "/agenda/book")
    page.locator("#door").select_option(label=f"The {name}, S.L. · PBX of {name} (SSH)")
    page.locator("#start").fill(start)
    if "topic" in typed:
        page.locator("#topic").select_option(typed.pop("topic"))
    for field, value in typed.items():
        page.locator(f"#{field}").fill(value)
    page.get_by_role("button", name="Reservar").click()
    return page


def refused(page: Page, code: str) -> None:
    expect(page.locator(f"[data-refused~={code}]")).to_be_visible()


def booked(page: Page) -> None:
    page.wait_for_url(re.compile(r"/s/\d+$"))


def test_c1_a_purchase_is_registered_once_and_its_questions_arrive(conditions_desk: ConditionsDesk) -> None:
    house = conditions_desk
    page = grant(house, "nothing", "purchase", serial="gx-1", bought_on="2026-11-10")
    expect(page.locator("#serial-error")).to_be_visible()
    page = grant(house, "nothing", "purchase", serial="GX-90", invoice="F-12", bought_on="2026-11-10")
    page.wait_for_url(re.compile(r"/support/\d+$"))
    said(page, "GX-90", "10 de diciembre de 2026")
    customer = house.customer("nothing")
    customer.goto(house.url + "/book/mail")
    customer.locator("#serial").select_option(label="GX-90, hasta el 10 de diciembre de 2026")
    customer.locator("[name=topic][value=dial]").check()
    customer.locator("#text").fill("¿Qué opciones de Dial necesita la tarjeta?")
    customer.get_by_role("button", name="Enviar a soporte").click()
    customer.wait_for_url(re.compile(r"/book/mail/\d+"))
    page.goto(house.url + "/requests")
    page.locator("li", has_text="GX-90").get_by_role("link").first.click()
    said(page, "¿Qué opciones de Dial necesita la tarjeta?", "El comando Dial")
    page.get_by_role("button", name="Marcar como respondida").click()
    expect(page.locator("li", has_text="GX-90")).to_contain_text("respondida")


def test_c2_booking_under_free_support_asks_for_an_included_topic(conditions_desk: ConditionsDesk) -> None:
    page = book(conditions_desk, "new device", "2026-12-01T09:00")
    refused(page, "topic_required")
    booked(book(conditions_desk, "new device", "2026-12-01T09:00", page, topic="devices"))
    said(page, "Configuración de los dispositivos en Asterisk")


def test_c3_an_excluded_topic_needs_hours(conditions_desk: ConditionsDesk) -> None:
    page = book(conditions_desk, "new device", "2026-12-01T11:00", topic="dialplan")
    refused(page, "topic_excluded")
    said(page, "Plan de marcación", "bono de horas")
    booked(book(conditions_desk, "device and bundle", "2026-12-01T11:00", page, topic="dialplan"))
    said(page, "Plan de marcación de la centralita o de la pasarela")
    page.goto(conditions_desk.page_of("device and bundle"))
    said(page, "9,5 h")


def test_c4_hours_are_granted_and_every_minute_is_in_the_ledger(conditions_desk: ConditionsDesk) -> None:
    house = conditions_desk
    for nonsense in ("0", "-5"):
        page = grant(house, "still nothing", "hours", hours=nonsense)
        expect(page.locator("#hours-error")).to_be_visible()
    page = grant(house, "still nothing", "hours", hours="5", valid_until="2027-06-30")
    page.wait_for_url(re.compile(r"/support/\d+$"))
    ledger = page.url
    said(page, "+5 h", "Elena Campos")
    booked(book(house, "still nothing", "2026-12-02T09:00", page))
    page.goto(ledger)
    said(page, "−0,5 h", "4,5 h")
    booked(book(house, "still nothing", "2026-12-02T11:00", page))
    said(page, "Jordi Soler")


def test_c5_a_contract_is_granted_from_day_to_day(conditions_desk: ConditionsDesk) -> None:
    house = conditions_desk
    page = grant(house, "small reseller", "maintenance", valid_from="2026-12-31", valid_until="2026-12-01")
    expect(page.locator("#valid_until-error")).to_be_visible()
    page = grant(house, "small reseller", "maintenance", valid_from="2026-11-01", valid_until="2026-12-20")
    page.wait_for_url(re.compile(r"/support/\d+$"))
    said(page, "Contrato de mantenimiento", "20 de diciembre de 2026")
    refused(book(house, "small reseller", "2026-12-21T10:00", page), "not_entitled")
    said(page, "20 de diciembre")
    booked(book(house, "small reseller", "2026-12-18T10:00", page))
    said(page, "Jordi Soler")


def asked_return(house: ConditionsDesk, serial: str) -> Page:
    """A customer's browser at the return it has just asked for."""
    page = house.customer("bundle")
    page.goto(house.url + "/book/rma")
    page.locator("#serial").fill(serial)
    page.locator("#symptoms").fill("No enciende desde ayer, probado con otra fuente.")
    page.locator("main form button.primary").click()
    page.wait_for_url(re.compile(r"/book/rma/\d+$"))
    return page


def at_return(house: ConditionsDesk, serial: str) -> Page:
    page = house.dispatcher()
    page.goto(house.url + "/rma")
    page.locator("li", has_text=serial).get_by_role("link").click()
    return page


def steps(page: Page) -> list[str]:
    """The steps that may come next."""
    return page.locator("button[name=step]").evaluate_all("all => all.map(it => it.value)")  # type: ignore[no-any-return]


def step(page: Page, name: str, note: str = "") -> None:
    page.locator("#note").fill(note)
    with page.expect_navigation():
        page.locator(f"button[name=step][value={name}]").click()


def test_c6_no_code_before_the_symptoms_are_verified(conditions_desk: ConditionsDesk) -> None:
    house = conditions_desk
    customer = asked_return(house, "GX-61")
    page = at_return(house, "GX-61")
    assert steps(page) == ["document_sent", "rejected"]
    step(page, "document_sent")
    assert steps(page) == ["verified", "resolved_remotely", "rejected"]
    step(page, "resolved_remotely", "Era la configuración del puerto SIP.")
    assert "code_issued" not in steps(page)
    customer.reload()
    said(customer, "Era la configuración del puerto SIP.")
    expect(customer.locator("main")).not_to_contain_text("RMA-")


def test_rma_leads_from_the_request_to_the_code_and_the_paper(conditions_desk: ConditionsDesk) -> None:
    house = conditions_desk
    customer = asked_return(house, "GX-62")
    page = at_return(house, "GX-62")
    for name in ("document_sent", "verified", "code_issued"):
        step(page, name, "Con su caja original.")
    customer.reload()
    code = customer.locator("main .mono", has_text=re.compile("^RMA-")).first.inner_text()
    assert re.fullmatch(r"RMA(-[2-9A-HJKMNP-Z]{4}){4}", code)
    customer.get_by_role("link", name="Documento de solicitud").click()
    expect(customer.locator("body")).to_contain_text(code)
    for name in ("received", "closed"):
        step(page, name)
    assert steps(page) == []


def test_c7_both_facts_make_a_reseller(conditions_desk: ConditionsDesk) -> None:
    house = conditions_desk
    page = grant(house, "day after", "reseller", purchases="6000", contract_on="2026-01-01")
    page.wait_for_url(re.compile(r"/support/\d+$"))
    said(page, "las compras no superan 6.000 €")
    customer = house.customer("day after")
    customer.goto(house.url + "/book/entitlement")
    expect(customer.locator("main a", has_text=NUMBER)).to_have_count(0)
    page = grant(house, "day after", "reseller", purchases="6000,01")
    page.wait_for_url(re.compile(r"/support/\d+$"))
    customer.reload()
    expect(customer.locator("main a", has_text=NUMBER)).to_have_count(0)


def test_reseller_with_both_facts_is_shown_the_number(conditions_desk: ConditionsDesk) -> None:
    house = conditions_desk
    page = grant(house, "another bundle", "reseller", purchases="6000,01", contract_on="2026-01-01")
    page.wait_for_url(re.compile(r"/support/\d+$"))
    customer = house.customer("another bundle")
    customer.goto(house.url + "/book/entitlement")
    customer.get_by_label("Soporte a distribuidores").first.check(force=True)
    expect(customer.locator("main a", has_text=NUMBER)).to_be_visible()


def door(house: ConditionsDesk, platform: str, method: str, host: str = "pbx.luz.example") -> Page:
    """The dispatcher's form of a customer's new PBX, sent."""
    page = house.dispatcher()
    page.goto(house.page_of("reseller", "/systems/new"))
    page.locator("#platform").select_option(platform)
    page.locator("#method").select_option(method)
    page.locator("#host").fill(host)
    page.locator("#username").fill("soporte")
    page.locator("#credential_kind").select_option("password")
    page.locator("#credential").fill("x1y2z3")
    page.get_by_role("button", name="Guardar").click()
    return page


@pytest.mark.parametrize("platform", ["asterisk", "elastix"])
def test_c8_a_pbx_by_ssh_only(conditions_desk: ConditionsDesk, platform: str) -> None:
    page = door(conditions_desk, platform, "rdp")
    refused(page, "method_not_accepted")
    said(page, "SSH")
    page = door(conditions_desk, platform, "ssh")
    page.wait_for_url(re.compile(r"/customers/\d+"))
    expect(page.locator("#systems")).to_contain_text(f"{platform.capitalize()} por SSH")


def test_c9_3cx_by_one_of_three(conditions_desk: ConditionsDesk) -> None:
    page = door(conditions_desk, "3cx", "ssh")
    refused(page, "method_not_accepted")
    said(page, "VNC")
    for method, word in (("rdp", "RDP"), ("vnc", "VNC"), ("web", "web")):
        page = door(conditions_desk, "3cx", method, f"{method}.luz.example")
        page.wait_for_url(re.compile(r"/customers/\d+"))
        expect(page.locator("#systems li", has_text=f"{method}.luz.example")).to_contain_text(word)


def test_c10_commercial_tools_are_refused_for_the_desk_too(conditions_desk: ConditionsDesk) -> None:
    page = door(conditions_desk, "3cx", "rdp", "sol.anydesk.example")
    refused(page, "tool_not_accepted")
    said(page, "AnyDesk")
    page = book(conditions_desk, "bundle", "2026-12-03T10:00", description="Entrar por TeamViewer.")
    refused(page, "tool_not_accepted")
    expect(page.locator("#description")).to_have_value("Entrar por TeamViewer.")


def test_c11_a_reason_overrides_the_notice_and_stays_visible(conditions_desk: ConditionsDesk) -> None:
    house = conditions_desk
    page = book(house, "reseller", "2026-11-24T16:00")
    refused(page, "lead_time_too_short")
    said(page, "miércoles 25 de noviembre, 10:10")
    booked(book(house, "reseller", "2026-11-24T16:00", page, override_reason="Centralita parada desde ayer."))
    said(page, "Centralita parada desde ayer.")
    number = page.url.rpartition("/")[2]
    page.goto(f"{house.url}/audit?about=booking:{number}")
    said(page, "Elena Campos", "Centralita parada desde ayer.")
