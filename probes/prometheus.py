"""A report in the Prometheus text exposition format 0.0.4."""

from __future__ import annotations

from datetime import datetime

from prometheus_client import CollectorRegistry, Gauge, generate_latest

from probes.report import Report

STATES = ("ok", "warn", "fail", "unknown")
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


def exposition(report: Report) -> str:
    """Success, status, code and time of each step, for a file that an exporter picks up."""
    registry = CollectorRegistry()
    where = {
        "method": report.target["method"],
        "target": f"{report.target['host']}:{report.target['port']}",
    }
    success = _gauge(registry, "ventana_probe_success", "1 when every step was proven.", *where)
    success.labels(**where).set(report.status == "ok")
    status = _gauge(registry, "ventana_probe_status", "1 for the status that holds.", *where, "status")
    for state in STATES:
        status.labels(**where, status=state).set(report.status == state)
    seconds = _gauge(
        registry, "ventana_probe_step_seconds", "Wall time of a step.", *where, "step", "outcome", "code"
    )
    for step in report.steps:
        labels = {"step": step.name, "outcome": str(step.outcome), "code": step.code or ""}
        seconds.labels(**where, **labels).set(step.ms / 1000)
    return generate_latest(registry).decode()


def scraped(report: Report) -> str:
    """The same as an answer to a scrape, whose target and module are labels already: names as blackbox_exporter's.

    ``probe_success`` is 1 when nothing failed and the end was reached; warnings are told by ``probe_status``.
    """
    registry = CollectorRegistry()
    spent = (report.finished_at - report.started_at).total_seconds()
    _gauge(registry, "probe_success", "1 when no step failed and all were judged.").set(
        report.status in ("ok", "warn")
    )
    _gauge(registry, "probe_duration_seconds", "How long the whole probe took.").set(max(0.0, spent))
    status = _gauge(registry, "probe_status", "1 for the status that holds.", "status")
    for state in STATES:
        status.labels(state).set(report.status == state)
    phases = _gauge(registry, "probe_phase_duration_seconds", "Wall time of a phase.", "phase")
    code = _gauge(registry, "probe_code", "1 for each code that was found.", "phase", "code")
    for step in report.steps:
        if step.outcome != "skipped":
            phases.labels(step.name).set(step.ms / 1000)
        if step.code is not None:
            code.labels(step.name, step.code).set(1)
    _name_and_certificate(registry, report)
    return generate_latest(registry).decode()


def _name_and_certificate(registry: CollectorRegistry, report: Report) -> None:
    name = report.step("name")
    if name is not None:
        text = "Time taken for the DNS lookup."
        _gauge(registry, "probe_dns_lookup_time_seconds", text).set(name.ms / 1000)
    expiries = [step.facts["not_after"] for step in report.steps if "not_after" in step.facts]
    if expiries:
        text = "Earliest certificate expiry as a Unix time."
        earliest = min(datetime.fromisoformat(expiry).timestamp() for expiry in expiries)
        _gauge(registry, "probe_ssl_earliest_cert_expiry", text).set(earliest)


def _gauge(registry: CollectorRegistry, name: str, text: str, *labels: str) -> Gauge:
    return Gauge(name, text, labels, registry=registry)
