"""How a technician connects: for each door the command, the address or the file, ready to use and safe to paste."""

import shlex
from dataclasses import dataclass
from typing import Any

from flask import url_for

from scheduler.store.models import AccessPoint, Booking
from web.i18n import gettext as _

OLD_SERVERS = {
    "KexAlgorithms": "diffie-hellman-group14-sha1,diffie-hellman-group-exchange-sha1,diffie-hellman-group1-sha1",
    "HostKeyAlgorithms": "ssh-rsa",
    "PubkeyAcceptedAlgorithms": "ssh-rsa",
    "Ciphers": "aes256-cbc,aes128-cbc,3des-cbc",
    "MACs": "hmac-md5",
}
"""What OpenSSH must be allowed for servers of CentOS 5 to 7; its "+" adds to what it offers by itself.

Without ssh-dss: OpenSSH 10 no longer knows the word and would refuse the whole line.
"""


@dataclass(frozen=True, slots=True)
class WayIn:
    """One door as a technician goes through it: what to copy, and a link where a program takes one.

    `words` is what the link says; `file` is set where the link is downloaded and not followed.
    """

    method: str
    label: str
    copy: str
    username: str = ""
    link: str | None = None
    words: str = ""
    file: bool = False
    hint: str = ""


def way_in(row: Booking, point: AccessPoint) -> WayIn:
    """The way through this door of the session's system."""
    address = address_of(point)
    if point.method == "ssh":
        old = point.profile == "legacy"
        hint = _("With the old algorithms that this server needs.") if old else ""
        return WayIn("ssh", _("SSH command"), ssh_command(point), hint=hint)
    if point.method == "rdp":
        link = url_for("technician.rdp_file.download", booking_id=row.id, point_id=point.id)
        words, label = _("Download the .rdp file"), _("Address for remote desktop")
        hint = _("The file holds address and account, never the password.")
        return WayIn("rdp", label, address, point.username, link, words, file=True, hint=hint)
    if point.method == "vnc":
        link, words = f"vnc://{address}", _("Open in the VNC viewer")
        hint = _("With two colons, viewers read the number as a port.")
        return WayIn("vnc", _("Address for VNC"), vnc_address(point), point.username, link, words, hint=hint)
    link = f"https://{address}/"
    return WayIn("web", _("Address of the panel"), link, point.username, link, _("Open the panel"))


def other_ways(row: Booking) -> list[WayIn]:
    """The other doors of the same PBX, should the one that was booked stay shut."""
    return [way_in(row, point) for point in row.system.access_points if point.id != row.access_point_id]


def address_of(point: AccessPoint) -> str:
    """host:port, with brackets around an IPv6 address."""
    return f"{_host(point)}:{point.port}"


def vnc_address(point: AccessPoint) -> str:
    """host::port. With one colon, viewers take small numbers for a display and add 5900."""
    return f"{_host(point)}::{point.port}"


def ssh_command(point: AccessPoint) -> str:
    """The ssh command with port and account, safe to paste: the account is free text of a form."""
    target = f"{point.username}@{point.host}"
    old = OLD_SERVERS if point.profile == "legacy" else {}
    options = [word for name, added in old.items() for word in ("-o", f"{name}=+{added}")]
    # An account such as "-oProxyCommand=…" would be read as an option and run on the technician's machine.
    end = ["--"] if target.startswith("-") else []
    return shlex.join(["ssh", "-p", str(point.port), *options, *end, target])


def ways_view(row: Booking) -> dict[str, Any]:
    """What the session's page shows of its doors."""
    return {"way": way_in(row, row.access_point), "others": other_ways(row)}


def _host(point: AccessPoint) -> str:
    return f"[{point.host}]" if ":" in point.host else point.host
