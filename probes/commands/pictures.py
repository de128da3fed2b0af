"""The picture of a screen as a file: asked for by its depth and its path together."""

from __future__ import annotations

import os
from pathlib import Path

import click

from probes.report import Report


def picture_file(depth: str, path: str | None) -> Path | None:
    """Where the picture goes; raises click.BadParameter where one of the two is missing or the folder is."""
    if (depth == "picture") != (path is not None):
        raise click.BadParameter(
            "--depth picture and --picture-file belong together", param_hint="--picture-file"
        )
    if path is None:
        return None
    if not Path(path).absolute().parent.is_dir():
        raise click.BadParameter(f"its folder does not exist: {path}", param_hint="--picture-file")
    return Path(path)


def keep_picture(report: Report, path: Path) -> None:
    """Write it, for its owner's eyes only; says on stderr when there is none."""
    step = report.step("picture")
    if step is None or step.picture is None:
        click.echo(f"probes: no picture was taken; {path} is not written", err=True)
        return
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(step.picture)
