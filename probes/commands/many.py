"""many: a list of targets, about a hundred at once in one event loop."""

from __future__ import annotations

import json
import os
import sys
import time
from dataclasses import dataclass, field
from typing import IO

import click

from probes.addresses import AddressAllowance
from probes.commands.shown import EXIT_STATUS
from probes.many import JITTER_SECONDS, Course, Job, Many, run_many
from probes.report import Report
from probes.target import Depth
from probes.target_list import BadLine, Label, ListReader

# As monitoring-plugins rank their states: what has failed first, then warnings, then what is not known.
WORST_FIRST = ("fail", "warn", "unknown", "ok")
PIPED_SECONDS = 5.0
TERMINAL_SECONDS = 0.25
DEPTHS = [depth.name.lower() for depth in Depth if depth < Depth.PICTURE]


@click.command("many")
@click.argument("file", type=click.File("rb"))
@click.option("-n", "--in-flight", type=click.IntRange(1, 1000), default=100, show_default=True)
@click.option(
    "--jitter",
    type=click.FloatRange(0, 60),
    default=JITTER_SECONDS,
    show_default=True,
    help="Longest random wait before each probe, in seconds.",
)
@click.option("-d", "--depth", type=click.Choice(DEPTHS), default="function", show_default=True)
@click.option("--allow-network", multiple=True, metavar="CIDR", help="Private range. Repeatable.")
@click.option("--allow-loopback", is_flag=True, help="Let targets be this machine.")
@click.option("--source", help="Public address our connections come from, for the remedies.")
@click.option("-q", "--quiet", is_flag=True, help="No progress.")
def many(file: IO[bytes], in_flight: int, jitter: float, depth: str, quiet: bool, **options: object) -> None:
    r"""Probe all targets listed in FILE, or on standard input where it is "-".

    One target a line: JSON objects, or comma-separated values under a line of field names. Only host is needed:

    \b
      {"host": "pbx.example.com", "user": "soporte", "key_file": "id_ed25519", "pins": ["ssh-ed25519 AAAA…"]}
      {"method": "rdp", "host": "203.0.113.9", "user": "CENTRAL\\soporte", "password_env": "PBX_9"}

    \b
      method,host,port,user,password_file
      vnc,203.0.113.10,5900,,vnc.secret

    \b
    method           ssh (default), rdp, vnc, web
    host, port       name or address; the method's usual port
    user             account to log in as
    key_file         private key; passphrase_env: variable with its passphrase
    password_file    file with the password; or password_env: variable with it
    pins             confirmed host keys or certificates (CSV: with semicolons between)
    profile          modern (default), legacy
    platform         asterisk, elastix, 3cx, none
    depth            reach, identify, login, function; without a credential at most identify
    path, ca_file, trust_first_use   as for a single probe
    id               comes back with the result

    Results are JSON objects, one a line, as they end; progress goes to standard error. A line that cannot be tried
    is named by number and field, and the others still run. Each far end is tried once at a time, never again after
    a refused login, and at most 4 refused passwords and 20 logins are tried at one address in 15 minutes.

    \b
    Exit status, the worst of all:
      0  every step of every target proven        2  a target failed
      1  works, with a warning                    3  not judged, a bad line, or wrong usage
    """
    try:
        allow = AddressAllowance.parse(options["allow_network"])  # type: ignore[arg-type]  # click makes it a tuple
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--allow-network") from None
    reader = ListReader(
        allow,
        allow_loopback=bool(options["allow_loopback"]),
        depth=Depth[depth.upper()],
        source_address=str(options["source"]) if options["source"] else None,
    )
    jobs, bad = _sorted(reader, file)
    teller = _Teller(Course(len(jobs)), quiet=quiet)
    status = teller.run(jobs, bad, Many(in_flight, jitter))
    sys.exit(EXIT_STATUS[status])


def _sorted(reader: ListReader, file: IO[bytes]) -> tuple[list[Job], list[BadLine]]:
    """All jobs and all bad lines, read before the first packet: files and keys must not stop the loop later."""
    jobs: list[Job] = []
    bad: list[BadLine] = []
    for entry in reader.read(file):
        (bad if isinstance(entry, BadLine) else jobs).append(entry)  # type: ignore[arg-type]  # sorted by its type
    return jobs, bad


@dataclass(slots=True)
class _Teller:
    """Results to standard output, progress to standard error."""

    course: Course
    quiet: bool
    terminal: bool = field(default_factory=sys.stderr.isatty)
    told: float = field(default_factory=time.monotonic)

    def run(self, jobs: list[Job], bad: list[BadLine], many: Many) -> str:
        """Probe and tell; the worst status."""
        for line in bad:
            click.echo(f"probes: {line}", err=True)
            _write(
                {
                    "line": line.number,
                    "status": "unknown",
                    "error": {"field": line.field, "problem": line.problem},
                }
            )
        try:
            run_many(jobs, self.tell, many, self.course)
        except KeyboardInterrupt:
            self._say("interrupted: ")
            return "unknown"
        except BrokenPipeError:  # whoever read the results has read enough
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return "unknown"
        if not self.quiet:
            self._say("")
        seen = {status for status, count in self.course.ended.items() if count} | (
            {"unknown"} if bad else set()
        )
        return next((status for status in WORST_FIRST if status in seen), "unknown")

    def tell(self, job: Job, report: Report) -> None:
        """One result; now and then how far we are."""
        label = job.label
        named = {"line": label.number, "id": label.id} if isinstance(label, Label) else {}
        _write({**named, **report.as_dict()})
        now = time.monotonic()
        if not self.quiet and now - self.told >= (TERMINAL_SECONDS if self.terminal else PIPED_SECONDS):
            self.told = now
            self._say("", final=False)

    def _say(self, before: str, *, final: bool = True) -> None:
        course = self.course
        counts = ", ".join(f"{count} {status}" for status, count in course.ended.items())
        start, end = ("\r\x1b[K", final) if self.terminal else ("", True)
        text = (
            f"{start}{before}{course.done} of {course.total} probed: {counts}; {course.under_way} under way"
        )
        click.echo(text, err=True, nl=end)


def _write(values: dict[str, object]) -> None:
    """A line at once: whoever reads the pipe acts while the others are still under way."""
    sys.stdout.write(json.dumps(values, ensure_ascii=False) + "\n")
    sys.stdout.flush()
