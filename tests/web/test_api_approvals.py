"""Approvals over the HTTP API: what waits says so, and only a dispatcher's program decides."""

from dataclasses import replace
from pathlib import Path

import pytest

from fixtures.databases import Database
from scheduler.settings import Settings
from tests.services.approval_desk import approving_desk
from tests.services.conftest import NOW, SOL, make_bench
from tests.web.conftest import StillClock, WebService
from tests.web.test_api import Api, problem, token_for, wish
from web.app import create_app


@pytest.fixture
def api(database: Database, tmp_path: Path) -> Api:
    """Clínica Sol's program, at a desk that approves sessions from hour bundles."""
    bench = make_bench(database)
    approving_desk(bench)
    settings = Settings(folder=tmp_path, base_url="http://localhost/")  # type: ignore[arg-type]
    service = WebService(settings, database.sessions, bench.installation, StillClock(NOW))
    return Api(bench, create_app(service).test_client(), token_for(bench, SOL))


@pytest.fixture
def elena(api: Api) -> Api:
    """The dispatcher's program."""
    return replace(api, token=token_for(api.bench, technician="Elena Campos"))


def test_what_waits_says_so_and_the_dispatcher_approves(api: Api, elena: Api) -> None:
    made = api.post("/bookings", wish(api))
    assert (made.status_code, made.get_json()["status"]) == (201, "pending")
    address = f"/bookings/{made.get_json()['id']}"
    problem(api.post(f"{address}/approve", {"rev": 1}), 403, "not_allowed")
    problem(elena.post(f"{address}/approve", {"rev": 2}), 409, "stale_revision")
    approved = elena.post(f"{address}/approve", {"rev": 1}).get_json()
    assert (approved["status"], approved["rev"]) == ("confirmed", 2)
    assert api.get(address).get_json()["status"] == "confirmed"
    problem(elena.post(f"{address}/refuse", {"rev": 2, "reason": "Tarde"}), 409, "transition_not_allowed")


def test_a_refusal_needs_a_reason(api: Api, elena: Api) -> None:
    address = f"/bookings/{api.post('/bookings', wish(api)).get_json()['id']}"
    assert problem(elena.post(f"{address}/refuse", {"rev": 1}), 422, "invalid_input")["field"] == "reason"
    empty = problem(elena.post(f"{address}/refuse", {"rev": 1, "reason": " "}), 422, "invalid_input")
    assert empty["facts"]["problem"] == "required"
    problem(api.post(f"{address}/refuse", {"rev": 1, "reason": "No puede ser"}), 403, "not_allowed")
    assert elena.post(f"{address}/refuse", {"rev": 1, "reason": "Feria"}).get_json()["status"] == "cancelled"
    problem(elena.post("/bookings/999/approve", {"rev": 1}), 404, "not_found")
