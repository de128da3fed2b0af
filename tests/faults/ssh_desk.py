"""A desk whose customers' PBXs are one real sshd, reached at an address of its own for each."""

from pathlib import Path

from sqlalchemy import select

from fixtures import sshd
from fixtures.databases import Database
from fixtures.served import Installed
from scheduler.checks.pins import confirm_line
from scheduler.store.engines import write
from scheduler.store.models import AccessPoint, CustomerKey


def desk_at(
    database: Database, server: sshd.Sshd, folder: Path, doors: int, technicians: int, **settings: str
) -> Installed:
    """So many customers with a door each, keys exchanged and host keys known."""
    database.close()
    addresses = [f"127.0.{number // 250}.{number % 250 + 1}" for number in range(doors)]
    allowed = ",".join(f"{address}:{server.port}" for address in addresses)
    made = Installed(folder, url=database.url, settings={"VENTANA_LOOPBACK_PORTS": allowed} | settings)
    made.fill(doors, technicians, host="127.0.0.1", port=server.port, username=server.username)
    with write(database.sessions) as session:
        for address, door in zip(addresses, session.scalars(select(AccessPoint)).all(), strict=True):
            door.host = address
            confirm_line(session, door, server.host_key_line(), "test", door.created_at)
        server.authorize(session.scalars(select(CustomerKey.public_key)))
    return made
