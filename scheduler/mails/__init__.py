"""The words of every mail, one file per kind and language: the first line is the subject, the rest plain text.

The HTML part is made from the same text, so the two cannot say different things.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

_LINK = re.compile(r"(https?://[^\s<]+[^\s<.,;:)])")


@dataclass(frozen=True, slots=True)
class Mail:
    """One mail, ready to be addressed."""

    subject: str
    text: str
    html: str


@lru_cache(maxsize=1)
def _texts() -> Environment:
    loader = PackageLoader("scheduler", "mails")
    # autoescape stays off: these are plain-text mails, and the HTML part escapes the finished text.
    # Nor is it looked at each mail whether the files changed: they come with the release.
    return Environment(  # noqa: S701
        loader=loader, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, auto_reload=False
    )


def compose(kind: str, locale: str, facts: Mapping[str, Any]) -> Mail:
    """Fill the mail of this kind in the reader's language ("es" or "en")."""
    body = _texts().get_template(f"{locale}/{kind}.txt").render(facts)
    subject, _, text = body.partition("\n")
    text = re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"
    return Mail(" ".join(subject.split()), text, _html(text, locale))


def _html(text: str, locale: str) -> str:
    parts = [_block(block) for block in text.strip().split("\n\n")]
    style = "font:16px/1.5 system-ui,sans-serif;max-width:36em;margin:1em auto;padding:0 1em"
    body = "".join(parts)
    return f'<!doctype html><html lang="{locale}"><meta charset="utf-8"><body style="{style}">{body}</body></html>\n'


def _block(block: str) -> str:
    if all(line.startswith("    ") for line in block.split("\n")):
        code = escape("\n".join(line[4:] for line in block.split("\n")))
        style = "background:#f2f4f3;padding:.75em;white-space:pre-wrap;overflow-wrap:anywhere"
        return f'<pre style="{style}">{code}</pre>'
    linked = Markup(_LINK.sub(r'<a href="\1">\1</a>', str(escape(block))))  # noqa: S704 - escaped just before
    return f"<p>{linked.replace(chr(10), Markup('<br>'))}</p>"
