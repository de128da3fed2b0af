"""The words of calendars in Spanish and English; the lights are the same on pages, mails and calendars."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from scheduler.calendars.lines import shortened

PLATFORMS = {"asterisk": "Asterisk", "elastix": "Elastix", "3cx": "3CX"}
METHODS = {"ssh": "SSH", "rdp": "RDP", "vnc": "VNC", "web": "web"}
LEGAL_FORM = re.compile(
    r"[\s,]+(s\.?\s?l\.?(\s?[upl]\.?|\s?n\.?\s?e\.?)?|s\.?\s?a\.?(\s?[up]\.?)?|s\.?\s?coop\.?|c\.?\s?b\.?)$",
    re.IGNORECASE,
)
CUSTOMER_LENGTH = 40


@dataclass(frozen=True, slots=True)
class Words:
    """All that calendars say in one language; fields in braces are filled in."""

    light: Mapping[str, str]
    """Verdict → light and word."""
    prefix: Mapping[str, str]
    """Status → what stands before the platform instead of the light."""
    entitlement: Mapping[str, str]
    remote_access: str
    access: str
    tried: str
    not_tried: str
    fails: str
    what_to_do: str
    system: str
    right: str
    topic: str
    contact: str
    door: str
    they_wrote: str
    reminder: str
    interventions: str
    interventions_and_slots: str
    team: str
    whole_team: str
    of_customer: str
    availability: str
    busy: str
    open_slot: str
    book_it: str
    time: str
    customer_summary: str
    technician: str
    manage: str
    call_us: str


SPANISH = Words(
    light={"ready": "✔", "at_risk": "▲ CON AVISO", "not_ready": "✖ SIN ACCESO", "unknown": "… sin probar"},
    prefix={
        "cancelled": "[CANCELADA]",
        "expired": "[CANCELADA]",
        "done": "Hecha ·",
        "no_show": "No atendió ·",
    },
    entitlement={
        "purchase": "soporte por compra",
        "hours": "bolsa de horas",
        "maintenance": "mantenimiento",
        "reseller": "distribuidor",
    },
    remote_access="Acceso remoto ({method})",
    access="Acceso",
    tried="comprobado el {time}",
    not_tried="aún sin comprobar",
    fails="Falla",
    what_to_do="Qué hacer",
    system="Sistema",
    right="Derecho",
    topic="Asunto",
    contact="Contacto",
    door="Dirección",
    they_wrote="El cliente escribió",
    reminder="Intervención",
    interventions="Intervenciones · {name}",
    interventions_and_slots="Intervenciones y huecos · {name}",
    team="Equipo",
    whole_team="Equipo · {name}",
    of_customer="Soporte remoto · {name}",
    availability="Disponibilidad · {name}",
    busy="Ocupado",
    open_slot="Hueco libre ({minutes} min)",
    book_it="Reservar para un cliente",
    time="%d/%m/%Y %H:%M",
    customer_summary="Intervención remota · {platform} · {desk}",
    technician="Técnico",
    manage="Ver, mover o cancelar la intervención",
    call_us="Teléfono de soporte",
)

ENGLISH = Words(
    light={"ready": "✔", "at_risk": "▲ WARNING", "not_ready": "✖ NO ACCESS", "unknown": "… not tested"},
    prefix={"cancelled": "[CANCELLED]", "expired": "[CANCELLED]", "done": "Done ·", "no_show": "No show ·"},
    entitlement={
        "purchase": "purchase support",
        "hours": "hour bundle",
        "maintenance": "maintenance",
        "reseller": "reseller",
    },
    remote_access="Remote access ({method})",
    access="Access",
    tried="checked on {time}",
    not_tried="not checked yet",
    fails="Failing",
    what_to_do="What to do",
    system="System",
    right="Entitlement",
    topic="Topic",
    contact="Contact",
    door="Address",
    they_wrote="The customer wrote",
    reminder="Intervention",
    interventions="Interventions · {name}",
    interventions_and_slots="Interventions and open slots · {name}",
    team="Team",
    whole_team="Team · {name}",
    of_customer="Remote support · {name}",
    availability="Availability · {name}",
    busy="Busy",
    open_slot="Open slot ({minutes} min)",
    book_it="Book for a customer",
    time="%Y-%m-%d %H:%M",
    customer_summary="Remote intervention · {platform} · {desk}",
    technician="Technician",
    manage="See, move or cancel the intervention",
    call_us="Support phone",
)


def words(locale: str) -> Words:
    """English for "en" and its regions, Spanish otherwise."""
    return ENGLISH if locale.casefold().startswith("en") else SPANISH


def short_customer(company: str) -> str:
    """A company's name as people say it: without "S.L." and the like, at most 40 characters."""
    return shortened(LEGAL_FORM.sub("", company.strip()) or company, CUSTOMER_LENGTH)


def local_time(moment: datetime, text: Words) -> str:
    """A zone-aware moment on its own wall clock."""
    return moment.strftime(text.time)
