"""The command line.

Each command lives in its own file under web/commands and is imported only when it is called,
so that `ventana --help` answers at once.
"""

import sys
from importlib import import_module

import click

from scheduler import __version__

COMMANDS = {
    "demo": (
        "demo:demo",
        "Show the whole product: a fictional desk, its customers' PBXs, everything running.",
    ),
    "serve": ("serving:serve", "Run the web pages (and, on SQLite, the work that is due)."),
    "worker": ("serving:worker", "Run checks, mails and other due work, without web pages."),
    "load": ("desk:load_file", "Fill the desk from a TOML file: hours, technicians, customers, systems."),
    "migrate": ("desk:migrate_store", "Create or update the database tables."),
    "backup": ("backup:backup", "Write the whole database to a file, while everything goes on."),
    "restore": ("backup:restore", "Fill an empty database from a backup, and prove that it is whole."),
    "db": ("db:db", "Copy the desk to another database, for instance from SQLite to PostgreSQL."),
    "doctor": ("doctor:doctor", "Check this installation and say what to mend."),
    "slots": ("booking:slots", "List the bookable slots."),
    "book": ("booking:book", "Book an intervention for a customer."),
    "move": ("booking:move", "Give a booking another time."),
    "cancel": ("booking:cancel", "Cancel a booking."),
    "checks": ("checks:checks", "List the access checks, or run one now."),
    "feed": ("feed:feed", "Make, list and revoke technicians' calendar addresses."),
    "probe": ("probe:probe", "Try a door by hand, without desk or database."),
    "lab": ("lab:lab", "Real servers on this machine to try `probe` on, and the table of what each shows."),
    "keys": ("keys:keys", "Rotate the key that seals customers' credentials."),
    "customers": ("customers:customers", "Bring customers in from a CSV file."),
    "token": ("desk:token", "Make a token for the HTTP API."),
}


class LazyGroup(click.Group):
    """Knows every command's name and one line of help; imports a command's file when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, name = COMMANDS[cmd_name][0].split(":")
        command: click.Command = getattr(import_module(f"web.commands.{module}"), name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in COMMANDS.items()])


@click.command(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Exit status: 0 done; 1 refused by a rule, with the reason; 2 wrong arguments; 3 this installation cannot "
    "work, with the remedy. `probe` uses 0 to 3 as monitoring plugins do. Settings come from VENTANA_* variables; "
    "see `ventana doctor`.",
)
@click.version_option(__version__, message="%(version)s")
def cli() -> None:
    """Ventana: customers book a window for remote support, the access is proven before it, technicians subscribe."""


def main() -> None:
    """Entry point of `./ventana` and of the installed script."""
    from web.commands.console import guarded

    sys.exit(guarded(cli))


if __name__ == "__main__":
    main()
