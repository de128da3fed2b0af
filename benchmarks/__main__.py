"""All measurements as one table.

    python -m benchmarks [availability | team | booking | lateness | peers | capacity | calendars | feed |
                          ssh_check | help | serve_memory | probes | probe_many] …

Exit status 1 when a promise is not kept. What takes time is measured as CPU of the processes concerned where that
can be, so that a busy machine disturbs little; rates and wall times are the best of some rounds.
"""

import argparse
import subprocess
import sys
from importlib import import_module

from benchmarks.table import machine, show
from fixtures.served import ROOT

TABLES = (
    "availability",
    "team",
    "booking",
    "lateness",
    "peers",
    "capacity",
    "calendars",
    "help",
    "serve_memory",
    "probes",
    "probe_many",
)
ALONE = ("feed", "ssh_check")
"""These print their own lines and tell by their exit status."""


def main() -> int:
    """Measure what is named, or everything."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", metavar="name")
    names = parser.parse_args().names or [*TABLES, *ALONE]
    if unknown := set(names) - {*TABLES, *ALONE}:
        parser.error(f"there is no {', '.join(sorted(unknown))}")
    print(machine(), flush=True)
    kept = [_measure(name) for name in names]
    return 0 if all(kept) else 1


def _measure(name: str) -> bool:
    print(f"\n{name}", flush=True)
    if name in ALONE:
        return (
            subprocess.run([sys.executable, "-m", f"benchmarks.{name}"], cwd=ROOT, check=False).returncode
            == 0
        )
    return show(import_module(f"benchmarks.{name}").measure())


if __name__ == "__main__":
    sys.exit(main())
