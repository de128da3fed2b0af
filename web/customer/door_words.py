"""Words of the form for a PBX: its choices, and the message for whoever runs the customer's network."""

from dataclasses import dataclass

from scheduler.context import DeskContext
from scheduler.rules.conditions import Conditions
from web import i18n
from web.i18n import gettext as _
from web.parts.mailto import mailto


@dataclass(frozen=True, slots=True)
class Method:
    """An access method as a radio card, with the PBXs it is accepted for."""

    value: str
    title: str
    text: str
    platforms: tuple[str, ...]


def method_cards(conditions: Conditions) -> list[Method]:
    """Every method that some PBX accepts, in the conditions' order."""
    texts = {
        "ssh": _("A command line on the PBX; what Asterisk and Elastix are attended by."),
        "rdp": _("The desktop of the Windows machine that runs the PBX."),
        "vnc": _("The screen of the machine that runs the PBX."),
        "web": _("The administration page of the PBX, from a browser."),
    }
    accepted = dict.fromkeys(method for methods in conditions.methods.values() for method in methods)
    return [
        Method(
            value=method,
            title=_capital(i18n.say_method(method)),
            text=texts.get(method, ""),
            platforms=tuple(
                platform for platform, methods in conditions.methods.items() if method in methods
            ),
        )
        for method in accepted
    ]


def platform_cards(conditions: Conditions) -> list[tuple[str, str, str]]:
    """Value, name and the accepted methods of each PBX."""
    return [
        (
            platform,
            i18n.say_platform(platform),
            _("by %(methods)s", methods=i18n.say_list(map(i18n.say_method, methods), "or")),
        )
        for platform, methods in conditions.methods.items()
    ]


def tool_names(conditions: Conditions) -> str:
    """Two tools that are not accepted, as examples."""
    return ", ".join(conditions.tools_not_accepted[:2])


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def network_mail(desk: DeskContext, host: str, port: str) -> str:
    """A mailto: address that asks whoever runs the network to let our address in."""
    subject = _("Access for %(desk)s", desk=desk.name)
    body = _(
        "Please allow connections from %(address)s only to %(host)s, TCP port %(port)s, "
        "so that %(desk)s can give us remote support. Thank you.",
        address=desk.source_address,
        host=host or _("our PBX"),
        port=port or _("of the access"),
        desk=desk.name,
    )
    return mailto(subject, body)
