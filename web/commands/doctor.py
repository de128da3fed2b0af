"""doctor: everything that can be wrong with an installation, each with what to do."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import click
from sqlalchemy import func, select

from scheduler import audit
from scheduler.rules.refusals import NotFound
from scheduler.settings import Settings, SettingsInvalid, read_settings
from scheduler.store.engines import read
from scheduler.store.models import Check, Notice, Worker
from scheduler.store.trouble import StoreUnusable
from scheduler.store.vault import VaultError
from web.commands.console import UNUSABLE, emit, json_option


@dataclass(frozen=True, slots=True)
class Finding:
    """One examined thing; `remedy` is empty when it is well."""

    name: str
    well: bool
    said: str
    remedy: str = ""

    @classmethod
    def good(cls, name: str, said: str) -> "Finding":
        """Nothing to do."""
        return cls(name, well=True, said=said)

    @classmethod
    def bad(cls, name: str, said: str, remedy: str) -> "Finding":
        """Something to mend."""
        return cls(name, well=False, said=said, remedy=remedy)


@click.command()
@json_option
def doctor(as_json: bool) -> None:
    """Check this installation and say what to mend. Exit status 3 when something must be mended."""
    findings = list(_examine())
    document = [{"name": f.name, "well": f.well, "said": f.said, "remedy": f.remedy} for f in findings]
    emit(as_json, {"findings": document}, lambda: "\n".join(map(_line, findings)))
    if not all(finding.well for finding in findings):
        raise click.exceptions.Exit(UNUSABLE)


def _examine() -> Iterator[Finding]:
    try:
        settings = read_settings()
    except SettingsInvalid as error:
        yield Finding.bad("settings", str(error), "correct the variables named")
        return
    yield Finding.good("settings", f"pages at {settings.link_base}, data in {settings.folder}")
    yield _mail(settings)
    yield _inbox(settings)
    yield from _store(settings)


def _mail(settings: Settings) -> Finding:
    if settings.smtp_host or settings.mail_page:
        return Finding.good("mail", settings.smtp_host or "kept for the mail page")
    return Finding.bad("mail", "no SMTP server", "set VENTANA_SMTP_HOST; until then mails wait in the outbox")


INBOX_REMEDIES = {
    "dns": "correct VENTANA_IMAP_HOST",
    "unreachable": "correct VENTANA_IMAP_HOST and VENTANA_IMAP_PORT",
    "timeout": "correct VENTANA_IMAP_HOST and VENTANA_IMAP_PORT",
    "tls": "VENTANA_IMAP_HOST must be the name in the certificate, and its authority known here (SSL_CERT_FILE)",
    "no_starttls": "set VENTANA_IMAP_SECURITY=tls, usually with VENTANA_IMAP_PORT=993",
    "login": "correct VENTANA_IMAP_USER and VENTANA_IMAP_PASSWORD; some providers want an app password",
    "folder": "correct VENTANA_IMAP_FOLDER",
    "read_only": "the user of VENTANA_IMAP_USER must be allowed to mark mails in the folder",
    "broken": "is VENTANA_IMAP_HOST an IMAP server, and VENTANA_IMAP_SECURITY what its port speaks?",
}


def _inbox(settings: Settings) -> Finding:
    """Signs in, as the worker does: a password that was changed shows here and not a day later."""
    if not settings.imap_host:
        return Finding.good("answers", "not asked for; VENTANA_IMAP_HOST lets invitations be answered")
    from scheduler.replies.inbox import InboxFailed, open_inbox

    place = f"{settings.imap_user} at {settings.imap_host}:{settings.imap_port}, {settings.imap_folder}"
    try:
        with open_inbox(settings):
            return Finding.good("answers", f"read from {place}")
    except InboxFailed as failed:
        reason = f" ({failed.reason})" if failed.reason else ""
        return Finding.bad("answers", f"{place}: {failed.code}{reason}", INBOX_REMEDIES[failed.code])


def _store(settings: Settings) -> Iterator[Finding]:
    from scheduler.bootstrap import build
    from scheduler.secrets_file import SecretFileUnusable

    try:
        service = build(settings)
    except (StoreUnusable, VaultError, SecretFileUnusable, SettingsInvalid) as error:
        yield Finding.bad("store", str(error), "see the message")
        return
    try:
        yield Finding.good("store", service.database.url.render_as_string(hide_password=True))
        yield from _rows(service)
    finally:
        service.close()


def _rows(service: Any) -> Iterator[Finding]:
    with read(service.sessions) as session:
        try:
            yield Finding.good("desk", service.desk(session).name)
        except NotFound:
            yield Finding.bad("desk", "no desk yet", "ventana load FILE.toml, or ventana demo to look around")
            return
        for examine in (_worker, _overdue, _dead_mails, _audit):
            yield examine(session, service)


def _worker(session: Any, service: Any) -> Finding:
    seen_at = session.scalar(select(func.max(Worker.seen_at)))
    alive = seen_at is not None and (service.clock() - seen_at).total_seconds() < 60
    remedy = "" if alive else "start ventana serve (SQLite) or ventana worker (PostgreSQL)"
    return Finding(
        "worker", alive, f"last seen {seen_at:%Y-%m-%d %H:%M:%S} UTC" if seen_at else "never seen", remedy
    )


def _overdue(session: Any, service: Any) -> Finding:
    late = session.scalar(
        select(func.count())
        .select_from(Check)
        .where(Check.state == "planned", Check.due_at < service.clock())
    )
    return Finding("checks", late == 0, f"{late} overdue", "" if late == 0 else "is a worker running?")


def _dead_mails(session: Any, _: Any) -> Finding:
    dead = session.scalar(select(func.count()).select_from(Notice).where(Notice.state == "dead"))
    return Finding(
        "outbox", dead == 0, f"{dead} mails could not be sent", "" if dead == 0 else "check the SMTP server"
    )


def _audit(session: Any, service: Any) -> Finding:
    broken = audit.first_broken(session, service.installation.keys.audit)
    said = "whole" if broken is None else f"entry {broken} does not follow from the one before"
    return Finding(
        "audit", broken is None, said, "" if broken is None else "the log was altered; compare with a backup"
    )


def _line(finding: Finding) -> str:
    mark = "✔" if finding.well else "✖"
    remedy = f"\n    {finding.remedy}" if finding.remedy else ""
    return f"{mark} {finding.name}: {finding.said}{remedy}"
