"""``python -m probes``: try an access from a terminal, a Nagios check or a Prometheus job, without the scheduler."""

from __future__ import annotations

import sys

import click

from probes.commands import many, one
from probes.commands.shown import EXIT_STATUS


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Does a remote access really exist? Climbs from the name to the PBX and says what is missing."""


for _command in (one.ssh, one.rdp, one.vnc, one.web, many.many):
    main.add_command(_command)


def run_main() -> None:
    """The command line; wrong usage ends with 3, since 2 would tell a monitor that the target has failed."""
    try:
        main(prog_name="python -m probes", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        sys.exit(EXIT_STATUS["unknown"])
    except click.Abort:
        sys.exit(EXIT_STATUS["unknown"])


if __name__ == "__main__":
    run_main()
