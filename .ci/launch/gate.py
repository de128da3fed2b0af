"""The gate behind `./test`: every stage runs even when an earlier one failed, and the end tells all of it.

Exit code 0 when nothing failed, 1 when something did, 130 when interrupted. `./test ARGS…` is pytest's own run
with pytest's own exit code.
"""

import os
import re
import sys
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from launch import debian, stages
from launch.stages import CHECKOUT, Outcome, Stage

PRINTING = threading.Lock()


def main(arguments: list[str]) -> int:
    """Run the gate that the arguments name."""
    gate = gate_of(arguments)
    if gate is None:
        os.chdir(CHECKOUT)
        os.execv(sys.executable, [sys.executable, "-m", "pytest", *arguments])
    try:
        outcomes = gate()
    except KeyboardInterrupt:
        print("interrupted", flush=True)
        return 130
    summarize(outcomes)
    return 1 if any(outcome.failed for outcome in outcomes) else 0


def gate_of(arguments: list[str]) -> Callable[[], list[Outcome]] | None:
    """The stages that the arguments name; None when they are pytest's own."""
    name, *rest = arguments or ["usual"]
    if name == "faults" and all(word.startswith("--release") or PROMISE.fullmatch(word) for word in rest):
        return partial(faults, rest)
    return GATES.get(name) if not rest else None


def quick() -> list[Outcome]:
    """What needs no server, no browser and no package of the system."""
    return side_by_side(stages.reading(), [*stages.rules(), stages.store_on_sqlite()])


def usual() -> list[Outcome]:
    """What every change must pass."""
    provide_packages()
    return _everything_but_slow()


def full() -> list[Outcome]:
    """That, and what takes a large package or minutes for one answer."""
    provide_packages(debian.SLOW_NEEDS)
    return [*_everything_but_slow(), *in_turn([stages.slow()])]


def _everything_but_slow() -> list[Outcome]:
    outcomes = side_by_side([*stages.reading(), stages.static_files()], stages.rules())
    return [*outcomes, *in_turn([stages.services(), stages.faults()])]


def faults(words: Sequence[str] = ()) -> list[Outcome]:
    """The fault suites alone: `--release` for the size of a release, `--release=0.1` for a tenth, P1 P12 for some."""
    provide_packages()
    promises = [word for word in words if PROMISE.fullmatch(word)]
    for word in set(words) - set(promises):
        os.environ["VENTANA_RELEASE"] = word.partition("=")[2] or "1"
    return in_turn([stages.faults(promises, minutes=30 if len(promises) == len(words) else 24 * 60)])


GATES = {"quick": quick, "usual": usual, "full": full}
PROMISE = re.compile(r"P\d+")


def provide_packages(more: Sequence[debian.Need] = ()) -> None:
    """Install what the tests need from Debian, or say what is missing and what that costs."""
    for need in debian.provide(more):
        print(f"missing: {need.package} — skipped without it: {need.used_for}", flush=True)


def side_by_side(*lanes: Sequence[Stage]) -> list[Outcome]:
    """Each lane in its order, all lanes at once."""
    with ThreadPoolExecutor(len(lanes)) as pool:
        return [outcome for lane in pool.map(in_turn, lanes) for outcome in lane]


def in_turn(lane: Sequence[Stage]) -> list[Outcome]:
    """One stage after another, each told when it ends."""
    outcomes = []
    for stage in lane:
        if stage.live:
            print(f"── {stage.name}", flush=True)
        outcome = stages.run(stage)
        outcomes.append(outcome)
        with PRINTING:
            tell(outcome)
    return outcomes


def tell(outcome: Outcome) -> None:
    """One line, and below a failure what the tool said."""
    print(line_of(outcome), flush=True)
    if outcome.failed and outcome.output:
        print("\n".join(f"    {line}" for line in stages.last_lines(outcome.output).splitlines()), flush=True)


def line_of(outcome: Outcome) -> str:
    """Name, verdict, counts where there are many, duration."""
    verdict = "FAILED" if outcome.failed else "ok" if outcome.passed else "skipped"
    start = f"{verdict:8}{outcome.stage.name:18}{outcome.seconds:6.1f} s"
    counts = f"  {outcome.passed} passed, {outcome.failed} failed, {outcome.skipped} skipped"
    return start + (counts if outcome.stage.tests else "")


def summarize(outcomes: Sequence[Outcome]) -> None:
    """All stages again in one place, every skip with its reason, and the closing count."""
    print("\n── summary")
    for outcome in outcomes:
        print(line_of(outcome))
    skips: Counter[str] = Counter()
    for outcome in outcomes:
        skips.update(outcome.skips)
    for reason, times in sorted(skips.items()):
        print(f"skipped {times}: {reason}")
    passed, failed, skipped = (
        sum(getattr(o, name) for o in outcomes) for name in ("passed", "failed", "skipped")
    )
    print(f"\n{passed} passed, {failed} failed, {skipped} skipped", flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
