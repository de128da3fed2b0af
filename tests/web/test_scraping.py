"""/probe: off without a token, through the address guard, metrics of real servers."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import select
from werkzeug.test import TestResponse

from fixtures.databases import Database
from fixtures.ssh_peers import AsyncsshPeer, Door
from fixtures.web_servers import Authority, Nginx, front_page, missing
from scheduler.checks.scraping import read_modules, split_target
from scheduler.settings import Settings, SettingsInvalid, read_settings
from scheduler.store.engines import read
from scheduler.store.models import LoginAttempt
from tests.web.conftest import StillClock, WebService, make_service
from web import scraping
from web.app import create_app

TOKEN = "scrape-token-of-a-test"
MODULES = """
[ssh]
method = "ssh"
depth = "identify"

[login]
method = "ssh"
user = "soporte"
password_env = "PBX_PASSWORD"
trust_first_use = true
platform = "none"

[panel]
method = "web"
platform = "none"
depth = "identify"
"""
Scrape = Callable[..., TestResponse]


@pytest.fixture(autouse=True)
def password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PBX_PASSWORD", "canary-wrong")


@pytest.fixture(scope="module")
def peer() -> Iterator[AsyncsshPeer]:
    with AsyncsshPeer(Door(password="right", methods=("password",))) as running:
        yield running


@pytest.fixture(scope="module")
def panel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nginx]:
    if (reason := missing()) is not None:
        pytest.skip(reason)
    home = tmp_path_factory.mktemp("panel")
    issued = Authority(home / "authority").issue("good", names=["127.0.0.1"])
    with Nginx(home / "nginx", front_page(home / "nginx", "freepbx"), issued) as running:
        yield running


def serve(database: Database, folder: Path, ports: list[int]) -> WebService:
    (folder / "modules.toml").write_text(MODULES)
    settings = read_settings(
        folder=folder,
        base_url="http://localhost/",
        probe_token=TOKEN,
        probe_modules_file=folder / "modules.toml",
        loopback_ports=",".join(f"127.0.0.1:{port}" for port in ports),
    )
    return make_service(settings, database)


@pytest.fixture
def service(sqlite_database: Database, tmp_path: Path, peer: AsyncsshPeer) -> WebService:
    return serve(sqlite_database, tmp_path, [peer.port])


@pytest.fixture
def scrape(service: WebService) -> Scrape:
    return scraper_of(create_app(service).test_client())


def scraper_of(client: FlaskClient) -> Scrape:
    def ask(target: str, module: str = "ssh", token: str = TOKEN, **headers: str) -> TestResponse:
        sent = {"Authorization": f"Bearer {token}", "X-Prometheus-Scrape-Timeout-Seconds": "9"} | headers
        return client.get("/probe", query_string={"target": target, "module": module}, headers=sent)

    return ask


def metrics(response: TestResponse) -> dict[tuple[str, ...], float]:
    """Name and label values of each sample, read by the library that Prometheus ships."""
    assert response.status_code == 200, response.text
    assert response.content_type == "text/plain; version=0.0.4; charset=utf-8"
    families = text_string_to_metric_families(response.text)
    return {
        (sample.name, *(sample.labels[name] for name in sorted(sample.labels))): sample.value
        for family in families
        for sample in family.samples
    }


def test_there_is_no_such_page_without_a_token(sqlite_database: Database, tmp_path: Path) -> None:
    off = make_service(Settings(folder=tmp_path), sqlite_database)
    ask = scraper_of(create_app(off).test_client())
    assert ask("203.0.113.9").status_code == 404
    assert ask("203.0.113.9", token="").status_code == 404


@pytest.mark.parametrize("token", ["", "another", TOKEN + "x", TOKEN[:-1], "ñ"])
def test_nobody_gets_in_with_another_token(scrape: Scrape, token: str) -> None:
    refused = scrape("203.0.113.9", token=token)
    assert (refused.status_code, refused.headers["WWW-Authenticate"]) == (401, "Bearer")


def test_a_real_server_has_its_phases(scrape: Scrape, peer: AsyncsshPeer) -> None:
    answer = scrape(f"127.0.0.1:{peer.port}")
    assert "Set-Cookie" not in answer.headers
    seen = metrics(answer)
    assert seen["probe_success",] == 1
    assert seen["probe_status", "warn"] == 1  # a host key that nobody has confirmed
    assert seen["probe_code", "hostkey_unknown", "host_key"] == 1
    assert 0 < seen["probe_phase_duration_seconds", "kex"] < seen["probe_duration_seconds",] < 9
    assert ("probe_dns_lookup_time_seconds",) in seen


def test_a_certificate_has_its_expiry(sqlite_database: Database, tmp_path: Path, panel: Nginx) -> None:
    service = serve(sqlite_database, tmp_path, [panel.port])
    modules = tmp_path / "modules.toml"
    ca_file = panel.home.parent / "authority" / "authority.pem"
    modules.write_text(f"{modules.read_text()}ca_file = '{ca_file}'\n")
    ask = scraper_of(create_app(service).test_client())
    seen = metrics(ask(f"127.0.0.1:{panel.port}", "panel"))
    assert seen["probe_success",] == 1, seen
    assert seen["probe_ssl_earliest_cert_expiry",] > 1_790_000_000
    assert ("probe_phase_duration_seconds", "tls") in seen


def test_our_own_network_is_shut(scrape: Scrape) -> None:
    for inside in ("127.0.0.1:5432", "10.0.0.1", "169.254.169.254:80", "[::1]:22", "localhost", "0x7f.1"):
        seen = metrics(scrape(inside))
        assert (seen["probe_success",], seen["probe_code", "address_refused", "name"]) == (0, 1), inside


def test_a_login_is_counted_and_put_off_before_it_locks_anybody_out(
    scrape: Scrape, service: WebService, peer: AsyncsshPeer
) -> None:
    before = len(peer.seen.passwords)
    answers = [scrape(f"127.0.0.1:{peer.port}", "login") for _ in range(6)]
    assert all("canary" not in answer.text for answer in answers)
    codes = [
        [key[1] for key in metrics(answer) if key[0] == "probe_code" and key[2] == "login"]
        for answer in answers
    ]
    assert codes == [["auth_failed"]] * 4 + [["login_put_off"]] * 2
    assert len(peer.seen.passwords) - before == 4
    with read(service.sessions) as session:
        assert session.scalars(select(LoginAttempt.ending)).all() == ["refused"] * 4


@pytest.mark.parametrize(
    ("target", "module", "words"),
    [
        ("", "ssh", "target: required"),
        ("203.0.113.9", "", "module: required"),
        ("203.0.113.9", "nonsense", "module: there are login, panel, ssh"),
        ("203.0.113.9:0", "ssh", "port: out_of_range"),
        ("203.0.113.9:99999999", "ssh", "port: out_of_range"),
        ("203.0.113.9:", "ssh", "port: out_of_range"),
        ("a\u202eb", "ssh", "host: control_characters"),
        ("a" * 300, "ssh", "host: too_long"),
    ],
)
def test_what_is_wrong_is_said(scrape: Scrape, target: str, module: str, words: str) -> None:
    if words == "port: out_of_range" and target.endswith(":"):
        target += "x"
    answer = scrape(target, module)
    assert (answer.status_code, answer.text) == (400, words + "\n")


def test_only_so_many_at_once_and_in_a_minute(
    service: WebService, peer: AsyncsshPeer, monkeypatch: pytest.MonkeyPatch
) -> None:
    turns = scraping.Turns(at_once=1, per_minute=3)
    assert turns.begin(0.0) == 0
    assert turns.begin(0.0) == 503
    turns.end()
    assert [turns.begin(moment) for moment in (1.0,)] == [0]
    turns.end()
    assert turns.begin(2.0) == 0
    turns.end()
    assert (turns.begin(59.0), turns.begin(60.0)) == (429, 0)
    clock: StillClock = service.clock
    monkeypatch.setattr(scraping, "PER_MINUTE", 2)
    ask = scraper_of(create_app(service).test_client())
    statuses = [ask("10.0.0.1").status_code for _ in range(3)]
    assert statuses == [200, 200, 429]
    clock.advance(timedelta(minutes=1))
    assert ask("10.0.0.1").status_code == 200


@pytest.mark.parametrize(
    ("target", "parts"),
    [
        ("pbx.example.com", ("pbx.example.com", None)),
        ("pbx.example.com:2222", ("pbx.example.com", "2222")),
        ("[2001:db8::1]:22", ("2001:db8::1", "22")),
        ("[2001:db8::1]", ("2001:db8::1", None)),
        ("2001:db8::1", ("2001:db8::1", None)),
        ("[2001:db8::1", ("[2001:db8::1", None)),
        ("[2001:db8::1]22", ("[2001:db8::1]22", None)),
    ],
)
def test_a_target_is_a_host_and_perhaps_a_port(target: str, parts: tuple[str, str | None]) -> None:
    assert split_target(target) == parts


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[a]\ncolour = 'red'", "[a] colour: not a field of a module"),
        ("[a]\nhost = 'b'", "[a] host: not a field of a module"),
        ("[a]\npassword = 's3creto'", "[a] password: not a field of a module"),
        ("[a]\npassword_env = 'MISSING'", "[a] password_env: variable_not_set"),
        ("[a]\ndepth = 'deep'", "[a] depth: not_offered"),
        ("a = 5", "[a] is not a table"),
        ("[a", "Expected"),
    ],
)
def test_a_module_that_cannot_be_right_is_named(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "modules.toml"
    path.write_text(text)
    with pytest.raises(SettingsInvalid, match="VENTANA_PROBE_MODULES_FILE") as refused:
        read_modules(path)
    assert words in str(refused.value)
    assert "s3creto" not in str(refused.value)


def test_the_shipped_modules_are_right_and_log_in_nowhere() -> None:
    modules = read_modules(None)
    assert {"ssh", "ssh_legacy", "rdp", "web", "web_https", "tcp"} == set(modules)
    assert all(module["depth"] in ("reach", "identify") for module in modules.values())


@pytest.mark.parametrize("token", ["short", "with spaces in the token", "con-eñe-en-el-token"])
def test_a_weak_token_stops_the_start(token: str) -> None:
    with pytest.raises(SettingsInvalid, match="VENTANA_PROBE_TOKEN") as refused:
        read_settings(probe_token=token)
    assert token not in str(refused.value)
