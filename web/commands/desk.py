"""load, migrate, token: setting a desk up."""

from pathlib import Path

import click
from sqlalchemy import select

from scheduler.identity.people import make_api_token
from scheduler.operation import loading
from scheduler.rules.refusals import NotFound
from scheduler.store.engines import write
from scheduler.store.models import Contact, Customer, Technician
from web.commands.console import desk_service, emit, json_option, progress


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@json_option
def load_file(file: Path, as_json: bool) -> None:
    """Fill the desk from a TOML file; docs/desk-file.md explains it. Loading it again adds only what is new."""
    parsed = loading.read_file(file)
    with desk_service(make_schema=True) as service, progress("loading"), write(service.sessions) as session:
        desk = loading.load(session, service.installation, service.vault, service.clock(), parsed)
    loaded = {"desk": desk.name, "technicians": len(parsed.technicians), "customers": len(parsed.customers)}
    emit(
        as_json,
        loaded,
        lambda: f"{desk.name}: {len(parsed.technicians)} technicians, {len(parsed.customers)} customers",
    )


@click.command()
@json_option
def migrate_store(as_json: bool) -> None:
    """Create or update the database tables."""
    with progress("migrating"), desk_service(make_schema=True) as service:
        url = service.database.url.render_as_string(hide_password=True)
    emit(as_json, {"database": url, "state": "current"}, lambda: f"{url}: current")


@click.command()
@click.option("--technician", help="E-mail of the technician it acts for.")
@click.option("--customer", help="CIF of the customer whose first contact it acts for.")
@click.option("--label", required=True, help="What it is for; shown where tokens are listed.")
@json_option
def token(technician: str | None, customer: str | None, label: str, as_json: bool) -> None:
    """Make a token for the HTTP API. It is printed once; only its hash is kept."""
    if (technician is None) == (customer is None):
        raise click.UsageError("give either --technician or --customer")
    with desk_service() as service, write(service.sessions) as session:
        person = (
            session.scalar(select(Technician).where(Technician.email == technician)) if technician else None
        )
        query = select(Contact).join(Customer).where(Customer.cif == customer).order_by(Contact.id).limit(1)
        contact = session.scalar(query) if customer else None
        if person is None and contact is None:
            raise NotFound("technician" if technician else "customer")
        made = make_api_token(session, service.clock(), label, contact, person)
    emit(as_json, {"token": made}, lambda: made)
