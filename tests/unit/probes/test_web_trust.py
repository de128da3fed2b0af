"""The public authorities, some of which have a serial number that no longer may be."""

from __future__ import annotations

import ssl
from pathlib import Path

import certifi
import pytest
from cryptography import x509

from probes.tls import load_certificate, read_certificate
from probes.web_trust import is_vouched, trusted_roots


def zero_serial() -> list[bytes]:
    context = ssl.create_default_context(cafile=certifi.where())
    told = zip(context.get_ca_certs(), context.get_ca_certs(binary_form=True), strict=True)
    return [der for facts, der in told if not str(facts["serialNumber"]).strip("0")]


def test_every_root_of_certifi_is_trusted_where_warnings_are_errors() -> None:
    """The control is cryptography itself, which warns of Go Daddy's."""
    root = zero_serial()[0]
    with pytest.raises(Warning, match="serial number"):
        x509.load_der_x509_certificate(root)
    trusted_roots.cache_clear()
    assert trusted_roots(certifi.where()) is not None
    loaded = [load_certificate(der) for der in zero_serial()]
    assert any("Go Daddy" in one.subject.rfc4514_string() for one in loaded)


def test_a_far_end_cannot_use_it_against_us() -> None:
    root = zero_serial()[0]
    found = read_certificate(root)
    assert found.self_signed
    assert not is_vouched([root], "pbx.example.com", trusted_roots(certifi.where()), found.not_before)


def test_a_file_without_authorities_is_none_and_never_everybody(tmp_path: Path) -> None:
    empty = tmp_path / "ca.pem"
    empty.write_text("nothing here")
    assert trusted_roots(str(empty)) is None
    assert trusted_roots(str(tmp_path / "absent.pem")) is None
