"""ssh, rdp, vnc, web: try one access and leave with a status that monitors understand."""

from __future__ import annotations

import getpass
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from probes.addresses import AddressAllowance
from probes.commands.pictures import keep_picture, picture_file
from probes.commands.shown import EXIT_STATUS, printer, show
from probes.engine import run
from probes.errors import TargetError
from probes.target import PROFILES, Credential, CredentialKind, Depth, Target
from probes.web_address import read_web_address

DEPTHS = [depth.name.lower() for depth in Depth if depth < Depth.PICTURE]
WITH_PICTURE = [*DEPTHS, "picture"]


@click.command("ssh")
@click.argument("target")
@click.option("-u", "--user", default="", help="User to log in as.")
@click.option("-p", "--port", default=22, show_default=True, help="TCP port.")
@click.option("-d", "--depth", type=click.Choice(DEPTHS), default="function", show_default=True)
@click.option(
    "--platform", type=click.Choice(["asterisk", "elastix", "none"]), default="asterisk", show_default=True
)
@click.option(
    "--profile",
    type=click.Choice(PROFILES),
    default="modern",
    show_default=True,
    help="legacy: also old algorithms, for servers of the CentOS 5 to 7 era.",
)
@click.option("--key-file", type=click.Path(exists=True, dir_okay=False), help="Private key to log in with.")
@click.option("--password-file", type=click.Path(exists=True, dir_okay=False), help="File with the password.")
@click.option("--ask-password", is_flag=True, help="Ask for the password.")
@click.option(
    "--pin", multiple=True, metavar="LINE", help="Confirmed host key, e.g. 'ssh-ed25519 AAAA…'. Repeatable."
)
@click.option("--trust-first-use", is_flag=True, help="Send a password although no host key is pinned.")
@click.option(
    "--allow-network", multiple=True, metavar="CIDR", help="Private range that may be probed. Repeatable."
)
@click.option("--allow-loopback", is_flag=True, help="Let TARGET be this machine, at this port.")
@click.option("--source", help="Public address our connections come from, for the remedies.")
@click.option("--lang", default=lambda: os.environ.get("LANG", "en"), help="es or en; from LANG by default.")
@click.option("--json", "shape", flag_value="json", help="The report as JSON.")
@click.option("--nagios", "shape", flag_value="nagios", help="One line with performance data.")
@click.option("--prometheus", "shape", flag_value="prometheus", help="Metrics in the text exposition format.")
def ssh(target: str, lang: str, shape: str | None, **options: Any) -> None:
    r"""Probe SSH at TARGET, a name or an address.

    The credential comes from --key-file, --password-file, --ask-password, or the environment variable
    VENTANA_PROBE_PASSWORD; never from the command line, where other users could read it. Without one the probe
    ends at the host key.

    \b
    Exit status:
      0  every step proven        2  a step failed
      1  works, with a warning    3  not judged, or wrong usage
    """
    _probe(target, lang, shape, **options)


def by_password(port: int, *, shows: bool = False) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """The options of an access to a 3CX with user and password, whose usual port is ``port``.

    ``shows`` where there is a screen to take a picture of.
    """
    depths = WITH_PICTURE if shows else DEPTHS
    file = click.Path(exists=True, dir_okay=False)
    options = (
        click.argument("target"),
        click.option("-u", "--user", default="", help="User to log in as."),
        click.option("-p", "--port", default=port, show_default=True, help="TCP port."),
        click.option("-d", "--depth", type=click.Choice(depths), default="function", show_default=True),
        click.option("--platform", type=click.Choice(["3cx", "none"]), default="3cx", show_default=True),
        click.option("--password-file", type=file, help="File with the password."),
        click.option("--ask-password", is_flag=True, help="Ask for the password."),
        click.option("--pin", multiple=True, metavar="sha256:HEX", help="Confirmed certificate. Repeatable."),
        click.option("--allow-network", multiple=True, metavar="CIDR", help="Private range. Repeatable."),
        click.option("--allow-loopback", is_flag=True, help="Let TARGET be this machine, at this port."),
        click.option("--source", help="Public address our connections come from, for the remedies."),
        click.option("--lang", default=lambda: os.environ.get("LANG", "en"), help="es or en; from LANG."),
        click.option("--json", "shape", flag_value="json", help="The report as JSON."),
        click.option("--nagios", "shape", flag_value="nagios", help="One line with performance data."),
        click.option("--prometheus", "shape", flag_value="prometheus", help="Metrics in text."),
    )

    picture = click.option(
        "--picture-file", type=click.Path(dir_okay=False), help="Where --depth picture writes its PNG."
    )

    def dress(command: Callable[..., None]) -> Callable[..., None]:
        for option in reversed((*options, picture) if shows else options):
            command = option(command)
        return command

    return dress


@click.command("rdp")
@by_password(3389, shows=True)
def rdp(target: str, lang: str, shape: str | None, **options: Any) -> None:
    """Probe Remote Desktop at TARGET, a name or an address. No session opens, nobody is thrown out.

    Except with --depth picture: it opens a session with xfreerdp to take a picture of its screen, which may push out
    whoever works there. Without NLA it shows the server's login screen and signs nobody in.

    The user is USER, DOMAIN\\USER or USER@DOMAIN. The password comes from --password-file, --ask-password, or the
    environment variable VENTANA_PROBE_PASSWORD; without one the probe ends at the certificate. It is only proven
    where the server uses NLA. One attempt, never repeated: wrong ones lock accounts.

    \b
    Exit status:
      0  every step proven        2  a step failed
      1  works, with a warning    3  not judged, or wrong usage
    """  # noqa: D301 - click reads \b as the control character
    _probe(target, lang, shape, method="rdp", **options)


@click.command("vnc")
@by_password(5900, shows=True)
def vnc(target: str, lang: str, shape: str | None, **options: Any) -> None:
    """Probe VNC at TARGET, a name or an address. The screen is shared and stays as it is, nobody is thrown out.

    The password comes from --password-file, --ask-password, or the environment variable VENTANA_PROBE_PASSWORD;
    --user is for servers that ask for an account. Without a password only a server that asks for none is proven.
    Every visit tries to log in, once: VNC servers lock out addresses that connect and do not. --depth picture also
    keeps what is on the screen; no key is pressed and no pointer moved.

    \b
    Exit status:
      0  every step proven        2  a step failed
      1  works, with a warning    3  not judged, or wrong usage
    """  # noqa: D301 - click reads \b as the control character
    if Depth[options["depth"].upper()] < Depth.LOGIN:
        raise click.BadParameter("a VNC server locks out who connects without a login", param_hint="--depth")
    _probe(target, lang, shape, method="vnc", **options)


@click.command("web")
@by_password(5001)
@click.option("--ca-file", type=click.Path(exists=True, dir_okay=False), help="Authorities to trust, in PEM.")
@click.option("--trust-first-use", is_flag=True, help="Send the password to an unconfirmed certificate.")
def web(target: str, lang: str, shape: str | None, **options: Any) -> None:
    """Probe a web panel at TARGET, a name, NAME:PORT or the address out of the browser. 3CX by default.

    The password comes from --password-file, --ask-password, or the environment variable VENTANA_PROBE_PASSWORD;
    without one the probe ends when it knows the panel. It only travels encrypted, to a certificate that --pin
    confirms or an authority vouches for. One attempt, never repeated: 3CX puts addresses on a black list.

    \b
    Exit status:
      0  every step proven        2  a step failed
      1  works, with a warning    3  not judged, or wrong usage
    """  # noqa: D301 - click reads \b as the control character
    try:
        address = read_web_address(target, options["port"])
    except TargetError as error:
        click.echo(f"probes: {error}", err=True)
        sys.exit(EXIT_STATUS["unknown"])
    options |= {"port": address.port, "path": address.path}
    _probe(address.host, lang, shape, method="web", **options)


def _probe(target: str, lang: str, shape: str | None, **options: Any) -> None:
    """Probe, show, and leave with the status."""
    on_step = None if shape else printer(lang)
    album = picture_file(options["depth"], options.get("picture_file"))
    try:
        wanted = _target(target, **options)
    except (TargetError, ValueError) as error:
        click.echo(f"probes: {error}", err=True)
        sys.exit(EXIT_STATUS["unknown"])
    report = run(wanted, _depth(wanted, options["depth"]), on_step=on_step)
    show(report, shape, lang)
    if album is not None:
        keep_picture(report, album)
    sys.exit(EXIT_STATUS[report.status])


def _depth(target: Target, asked: str) -> Depth:
    """Without a credential there is nothing to try beyond the host key, unless the server may ask for none."""
    depth = Depth[asked.upper()]
    if target.method == "vnc":
        return depth
    return depth if target.credential.kind is not CredentialKind.NONE else min(depth, Depth.IDENTIFY)


def _target(host: str, **options: Any) -> Target:
    port = options["port"]
    loopback = [("127.0.0.1", port), ("::1", port)] if options["allow_loopback"] else []
    platform = options["platform"]
    return Target(
        options.get("method", "ssh"),
        host,
        port,
        options["user"],
        _credential(options.get("key_file"), options["password_file"], ask=options["ask_password"]),
        frozenset(options["pin"]),
        None if platform == "none" else platform,
        profile=options.get("profile", "modern"),
        allow=AddressAllowance.parse(options["allow_network"], loopback),
        trust_first_use=options.get("trust_first_use", False),
        source_address=options["source"],
        path=options.get("path", "/"),
        ca_file=options.get("ca_file"),
    )


def _credential(key_file: str | None, password_file: str | None, *, ask: bool) -> Credential:
    if key_file:
        passphrase = os.environ.get("VENTANA_PROBE_PASSPHRASE")
        return Credential(CredentialKind.PRIVATE_KEY, Path(key_file).read_text(encoding="utf-8"), passphrase)
    if password_file:
        password: str | None = Path(password_file).read_text(encoding="utf-8").rstrip("\r\n")
    else:
        password = getpass.getpass("Password: ") if ask else os.environ.get("VENTANA_PROBE_PASSWORD")
    return Credential(CredentialKind.PASSWORD, password) if password else Credential(CredentialKind.NONE)
