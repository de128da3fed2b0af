"""A report for people, monitors and programs."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import click

from probes.remedies import describe, language, remedy, step_label
from probes.report import Outcome, Report, Step

EXIT_STATUS = {"ok": 0, "warn": 1, "fail": 2, "unknown": 3}
MARKS = {Outcome.OK: "✓", Outcome.WARN: "!", Outcome.FAIL: "✗", Outcome.SKIPPED: "·"}
NAGIOS = {"ok": "OK", "warn": "WARNING", "fail": "CRITICAL", "unknown": "UNKNOWN"}


def printer(lang: str) -> Callable[[Step], None]:
    """What shows each step to people as it ends."""

    def say(step: Step) -> None:
        label = step_label(step.name, lang, step.facts)
        click.echo(f"{MARKS[step.outcome]} {label:<24} {step.ms:7.1f} ms  {describe(step, lang)}".rstrip())

    return say


def show(report: Report, shape: str | None, lang: str) -> None:
    """The whole report for a program, or what is left to say to people once they have seen the steps."""
    if shape == "json":
        click.echo(json.dumps(report.as_dict(), ensure_ascii=False, indent=2))
    elif shape == "nagios":
        click.echo(_nagios_line(report, lang))
    elif shape == "prometheus":
        from probes.prometheus import exposition  # here, because its library costs every other command 0.1 s

        click.echo(exposition(report), nl=False)
    elif report.code is not None:
        advice = remedy(report.code, lang, _facts_of(report, report.code))
        click.echo(
            f"\n{advice.title}\n{advice.text}" + (f"\n\n    {advice.copyable}" if advice.copyable else "")
        )


def _facts_of(report: Report, code: str) -> dict[str, Any]:
    """The target's facts under those of the step that has the code."""
    return {**report.target, **next((step.facts for step in report.steps if step.code == code), {})}


def _nagios_line(report: Report, lang: str) -> str:
    """``SSH CRITICAL - Puerto 22: cerrado en … | name=0.5ms …``; a pipe in a text would end it."""
    shown = next((step for step in report.steps if step.code is not None), report.steps[-1])
    said = f"{step_label(shown.name, language(lang), report.target)}: {describe(shown, lang)}".replace(
        "|", "/"
    )
    times = " ".join(
        f"{step.name}={step.ms:.1f}ms" for step in report.steps if step.outcome != Outcome.SKIPPED
    )
    return f"{report.target['method'].upper()} {NAGIOS[report.status]} - {said} | {times}"
