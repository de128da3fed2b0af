"""Floods, drips, odd names and odd secrets for every kind of probe: a code in time, little memory, no fault of ours."""

from __future__ import annotations

import resource
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import asyncssh
import pytest

from fixtures.ssh_peers import AsyncsshPeer, Door, ParamikoPeer
from probes.engine import run
from probes.report import Report
from probes.target import AddressAllowance, Credential, CredentialKind, Depth, Target
from tests.probes.conftest import HURRIED

METHODS = ("ssh", "rdp", "vnc", "web")
SECRET = Credential(CredentialKind.PASSWORD, "canary-odd")
# What each protocol takes for the beginning of an answer that it must read on.
PLAUSIBLE = {
    "ssh": b"SSH-2.0-OpenSSH_9.2\r\n\x00\x00\x80\x00\x04\x14",
    "rdp": b"\x03\x00\xff\xff\x0a\xd0\x00\x00\x12\x34\x00\x02",
    "vnc": b"RFB 003.003\n\x00\x00\x00\x00\x7f\xff\xff\xff",
    "web": b"\x16\x03\x03\x40\x00\x02\x00\x3f\xfc\x03\x03",
}


@contextmanager
def far_end(chunks: Callable[[socket.socket], None]) -> Iterator[int]:
    """A listener that treats each visitor so, until it leaves."""
    listener = socket.create_server(("127.0.0.1", 0))

    def visit(sock: socket.socket) -> None:
        try:
            with sock:
                chunks(sock)
        except OSError:
            return

    def accept() -> None:
        while True:
            try:
                sock, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=visit, args=(sock,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield int(listener.getsockname()[1])
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()


def flood(beginning: bytes) -> Callable[[socket.socket], None]:
    """Without end, as fast as it is read: ten gigabytes would be no different."""

    def send(sock: socket.socket) -> None:
        sock.sendall(beginning)
        while True:
            sock.sendall(b"\x00" * 65536)

    return send


def drip(beginning: bytes) -> Callable[[socket.socket], None]:
    """A byte a second: each of them must not renew the limit of its phase."""

    def send(sock: socket.socket) -> None:
        for byte in beginning * 20:
            sock.sendall(bytes([byte]))
            time.sleep(1)

    return send


def visit(method: str, port: int, host: str = "127.0.0.1", **more: object) -> Report:
    values: dict[str, object] = {"username": "soporte", "credential": SECRET, "trust_first_use": True} | more
    allow = AddressAllowance.parse(loopback_ports=[(host.strip("[]"), port)])
    target = Target(method, host, port, allow=allow, **values)  # type: ignore[arg-type]  # the tests know the fields
    return run(target, Depth.FUNCTION, limits=HURRIED)


@pytest.mark.parametrize("treat", [flood, drip])
@pytest.mark.parametrize("method", METHODS)
def test_a_flood_and_a_drip_end_in_time_and_in_little_memory(
    method: str, treat: Callable[[bytes], Callable[[socket.socket], None]]
) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with far_end(treat(PLAUSIBLE[method])) as port:
        started = time.monotonic()
        report = visit(method, port)
        took = time.monotonic() - started
    assert report.status in ("fail", "unknown")
    assert report.code not in (None, "probe_bug"), report.as_dict()
    assert took < HURRIED.total + 2
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 60_000  # KiB


@pytest.fixture(scope="module")
def peer() -> Iterator[ParamikoPeer]:
    """Takes passwords as they come; asyncssh's own server would refuse what its tables of 2002 do not know."""
    with ParamikoPeer(
        Door(username="CENTRAL\\soporte", password="ñandú-😀-\u00a0x", methods=("password",))
    ) as it:
        yield it


def test_a_domain_account_and_a_password_with_letters_of_the_world(peer: ParamikoPeer) -> None:
    credential = Credential(CredentialKind.PASSWORD, "ñandú-😀-\u00a0x")
    report = visit("ssh", peer.port, username="CENTRAL\\soporte", credential=credential, platform="asterisk")
    login = report.step("login")
    assert login is not None
    assert (login.outcome, login.code) == ("ok", None), report.as_dict()


@pytest.mark.parametrize("secret", ["a\0b", "\0", "\ud800", "\u202e", "a" * 16_384, "\u0300" * 2000])
def test_a_password_that_cannot_be_sent_is_no_fault_of_ours(peer: ParamikoPeer, secret: str) -> None:
    report = visit(
        "ssh", peer.port, username="CENTRAL\\soporte", credential=Credential(CredentialKind.PASSWORD, secret)
    )
    login = report.step("login")
    assert login is not None
    unsendable = "\0" in secret or secret == "\ud800"
    assert login.code == ("credential_unusable" if unsendable else "auth_failed"), report.as_dict()
    assert secret not in str(report.as_dict())


def test_a_key_of_sixteen_kilobytes_logs_in() -> None:
    key = asyncssh.generate_private_key("ssh-ed25519", comment="x" * 12_000)
    text = key.export_private_key().decode()
    public = key.export_public_key().decode()
    assert len(text) > 16_000
    with AsyncsshPeer(Door(authorized=(public,))) as peer:
        report = visit("ssh", peer.port, credential=Credential(CredentialKind.PRIVATE_KEY, text))
    login = report.step("login")
    assert login is not None
    assert login.outcome == "ok"


@pytest.mark.parametrize("method", METHODS)
def test_an_ipv6_address_is_taken_bare_and_refused_in_brackets(method: str) -> None:
    """Brackets belong to addresses with a port; what takes both (lists, scrapes) takes them off."""
    with socket.create_server(("::1", 0), family=socket.AF_INET6) as listener:
        port = listener.getsockname()[1]
    assert visit(method, port, "::1").code == "tcp_refused"
    assert visit(method, port, "[::1]").code == "address_refused"


@pytest.mark.parametrize(
    ("host", "asked"),
    [("españa.example", "xn--espaa-rta.example"), ("BÜCHER.example", "xn--bcher-kva.example")],
)
@pytest.mark.parametrize("method", METHODS)
def test_an_international_name_is_asked_for_in_ascii(method: str, host: str, asked: str) -> None:
    seen: list[str] = []

    async def resolver(name: str, port: int) -> Sequence[str]:
        seen.append(name)
        return []

    report = run(Target(method, host, 443), Depth.FUNCTION, resolver=resolver, limits=HURRIED)
    assert (report.code, seen) == ("dns_nxdomain", [asked])


@pytest.mark.parametrize(
    "host", ["a\u3002b", "①.example", "a..example", "-a.example", "a" * 64 + ".example", "%00"]
)
def test_a_name_that_two_readers_would_read_differently_is_refused(host: str) -> None:
    assert run(Target("web", host, 443), limits=HURRIED).code == "address_refused"
