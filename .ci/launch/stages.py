"""The stages of the gate: what each runs, and what it reports."""

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from xml.etree import ElementTree as ET

CHECKOUT = Path(__file__).resolve().parents[2]
TIMED_OUT = 124
# It has a script but no `python -m` form; scripts hold absolute paths, which a moved environment breaks.
IMPORT_LINTER = "from importlinter.cli import lint_imports_command as lint; lint()"


FEW = 5
"""More failures than these are no accident."""


@dataclass(frozen=True)
class Stage:
    """One command of the gate. A stage of tests counts each test, any other stage counts as one."""

    name: str
    command: tuple[str, ...]
    minutes: float = 5
    tests: bool = False
    live: bool = False
    skipped_because: str | None = None


@dataclass(frozen=True)
class Outcome:
    """What a stage came to: counts, skips by reason, duration in seconds and what it printed."""

    stage: Stage
    passed: int
    failed: int
    seconds: float = 0.0
    output: str = ""
    skips: Counter[str] = field(default_factory=Counter)

    @property
    def skipped(self) -> int:
        """How many tests, or whether the stage itself, did not run."""
        return self.skips.total()


def tool(name: str, *arguments: str, minutes: float = 5) -> Stage:
    """A stage that is one tool of the environment."""
    return Stage(name, (sys.executable, "-m", *arguments), minutes)


def pytest_run(
    name: str, *arguments: str, minutes: float = 5, live: bool = False, before: tuple[str, ...] = ()
) -> Stage:
    """A stage that is one run of pytest; `before` puts another module in charge of it, such as coverage."""
    return Stage(name, (sys.executable, "-m", *before, "pytest", *arguments), minutes, tests=True, live=live)


def run(stage: Stage) -> Outcome:
    """Run it; a few failed tests against real servers are tried once more, alone, and named as unsteady if they pass.

    On a machine that others load too, a real server may miss a deadline that says nothing about the product.
    """
    first = _run_once(stage)
    if not (stage.live and stage.tests and 0 < first.failed <= FEW):
        return first
    print(f"── {stage.name}: {first.failed} failed, tried once more alone", flush=True)
    again = _run_once(
        replace(stage, command=(*stage.command, "--last-failed", "--last-failed-no-failures=none", "-n0"))
    )
    if again.passed:
        print(
            f"── unsteady: {again.passed} passed only when tried again; their first failures stand above",
            flush=True,
        )
    return replace(
        first,
        passed=first.passed + again.passed,
        failed=again.failed if again.passed + again.failed else first.failed,
        seconds=first.seconds + again.seconds,
    )


def _run_once(stage: Stage) -> Outcome:
    """To its end, or to its limit: then everything that it started is killed and it has failed."""
    if stage.skipped_because:
        return Outcome(stage, 0, 0, skips=Counter([stage.skipped_because]))
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="ventana-gate-") as folder:
        report = Path(folder) / "report.xml"
        command = (*stage.command, f"--junitxml={report}") if stage.tests else stage.command
        code, output = _run_to_the_end(command, stage)
        counts = _counts(report, code) if stage.tests else (int(code == 0), int(code != 0), Counter())
    return Outcome(stage, *counts[:2], time.monotonic() - started, output, counts[2])


def _run_to_the_end(command: tuple[str, ...], stage: Stage) -> tuple[int, str]:
    with subprocess.Popen(
        command,
        cwd=CHECKOUT,
        stdin=subprocess.DEVNULL,
        stdout=None if stage.live else subprocess.PIPE,
        stderr=None if stage.live else subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as child:
        try:
            output, _ = child.communicate(timeout=stage.minutes * 60)
        except subprocess.TimeoutExpired:
            os.killpg(child.pid, signal.SIGKILL)
            output, _ = child.communicate()
            return TIMED_OUT, f"{output or ''}\nkilled after {stage.minutes:g} min"
        except BaseException:
            os.killpg(child.pid, signal.SIGTERM)  # its own session, so Ctrl-C does not reach it by itself
            raise
        return child.returncode, output or ""


def _counts(report: Path, code: int) -> tuple[int, int, Counter[str]]:
    """Passed, failed and the skips by reason. A run that died, or that found no test, has failed."""
    if not report.exists():
        return 0, 1, Counter()
    skips: Counter[str] = Counter()
    passed = failed = 0
    for case in ET.parse(report).iter("testcase"):  # noqa: S314 - pytest wrote it a moment ago
        if case.find("failure") is not None or case.find("error") is not None:
            failed += 1
        elif (skip := case.find("skipped")) is not None:
            skips[skip.get("message") or "no reason given"] += 1
        else:
            passed += 1
    return passed, failed or int(code != 0), skips


def reading() -> list[Stage]:
    """What reads the code without running it, and the house rules."""
    return [
        tool("lint", "ruff", "check", "--output-format=concise"),
        tool("format", "ruff", "format", "--check", "--output-format=concise"),
        Stage("imports", (sys.executable, "-c", IMPORT_LINTER)),
        tool("types", "mypy"),
        pytest_run("house", "tests/house"),
    ]


def rules() -> list[Stage]:
    """The unit tests under measurement, then the measure: every branch of scheduler/rules."""
    return [
        pytest_run("unit", "tests/unit", minutes=8, before=("coverage", "run", "-m")),
        tool("rules covered", "coverage", "report"),
    ]


def store_on_sqlite() -> Stage:
    """The store's tests without a server."""
    return pytest_run("store (SQLite)", "tests/store", "-p", "launch.without_servers", "-n", "2")


def static_files() -> Stage:
    """Whether web/static/dist is what its sources build; needs Node, which the product does not."""
    script = "web/static/build.sh"
    reason = None
    if not (CHECKOUT / script).exists():
        reason = f"{script} is not here"
    elif not (shutil.which("node") and shutil.which("npm")):
        reason = "no node and npm on the path: the built style and script are not compared with their sources"
    return Stage("static files", ("sh", script, "--check"), skipped_because=reason)


def services() -> Stage:
    """Everything that needs a server, a database or a browser, three at a time: they wait for far ends half of it."""
    apart = [f"--ignore=tests/{folder}" for folder in ("unit", "house", "faults", "slow")]
    return pytest_run("services", "tests", *apart, "-n", "3", "--dist", "worksteal", minutes=30, live=True)


def faults(promises: Sequence[str] = (), minutes: float = 30) -> Stage:
    """Kills, storms and races: apart from all else, and two files at a time, since half of each is waiting.

    Each file names the promise that it proves; with `promises` only theirs run. What proves a release runs alone.
    """
    files = [
        str(path.relative_to(CHECKOUT))
        for promise in promises
        for path in sorted((CHECKOUT / "tests" / "faults").glob(f"test_{promise.lower()}_*.py"))
    ]
    together: tuple[str, ...] = ("-n", "2", "--dist", "loadfile")
    if os.environ.get("VENTANA_RELEASE"):
        together = ("-o", "faulthandler_timeout=0")  # its tests take hours, which is no hang
    return pytest_run("faults", *(files or ["tests/faults"]), *together, minutes=minutes, live=True)


def slow() -> Stage:
    """What `./test full` has on top: other people's large programs against ours."""
    return pytest_run("slow", "tests/slow", minutes=15, live=True)


def last_lines(output: str, count: int = 60) -> str:
    """The end of a long output, without colour codes."""
    plain = re.sub(r"\x1b\[[0-9;]*m", "", output).strip().splitlines()
    return "\n".join((["…"] if len(plain) > count else []) + plain[-count:])
