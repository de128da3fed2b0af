"""The .rdp file of a session's remote desktop: address and account for mstsc, FreeRDP and Remmina, no password."""

import unicodedata

from flask import Blueprint, Response, current_app

from scheduler.rules.refusals import NotFound
from scheduler.store.engines import read
from scheduler.store.models import AccessPoint
from web.parts.staff import ID
from web.security import staff_required
from web.technician.ways_in import address_of
from web.technician.who import own_session

blueprint = Blueprint("rdp_file", __name__, url_prefix=f"/s/<{ID}:booking_id>")

FIXED = {
    "prompt for credentials:i": "1",
    # The certificate is checked, and a wrong one asks before it lets anybody on.
    "authentication level:i": "2",
    "enablecredsspsupport:i": "1",
    "screen mode id:i": "1",
    # A customer's server is no place for the technician's files, printers or cards.
    "drivestoredirect:s": "",
    "redirectprinters:i": "0",
    "redirectsmartcards:i": "0",
    "redirectcomports:i": "0",
}


@blueprint.get(f"/access-<{ID}:point_id>.rdp")
@staff_required()
def download(booking_id: int, point_id: int) -> Response:
    """The file for one remote desktop of the session's PBX. Raises NotFound for any other door."""
    with read(current_app.extensions["ventana"].sessions) as session:
        row = own_session(session, booking_id)
        point = session.get(AccessPoint, point_id)
        if point is None or point.system_id != row.system_id or point.method != "rdp":
            raise NotFound("access_point")
        body = rdp_file(point)
    headers = {"Content-Disposition": f'attachment; filename="ventana-{booking_id}.rdp"'}
    return Response(body, mimetype="application/x-rdp", headers=headers)


def rdp_file(point: AccessPoint) -> bytes:
    """The settings in the form that mstsc itself writes: UTF-16 with its mark, lines ended by CR LF."""
    settings = {"full address:s": address_of(point), "username:s": point.username} | FIXED
    lines = [f"{name}:{_one_line(value)}" for name, value in settings.items()]
    return b"\xff\xfe" + "".join(f"{line}\r\n" for line in lines).encode("utf-16-le")


def _one_line(value: str) -> str:
    """Nothing in a value may begin another setting: "alternate shell:s:…" would run a program."""
    return "".join(c for c in value if unicodedata.category(c) not in ("Cc", "Cf", "Cs", "Zl", "Zp"))
