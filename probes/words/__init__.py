"""Every sentence that people read about a probe, in Spanish and English, one file per language and kind of access.

A file holds any of these tables; they are merged here, so that a new kind of access only adds files:

STEPS             step → its neutral name
MISSING           fact → the neutral word where it is not known
REMEDIES          code → title, text, and what to copy (or None); braces hold facts of the step
VARIANTS          (code, fact) → a remedy that fits better
FINDINGS          code → the few words under the step
FINDING_VARIANTS  (code, fact) → the few words, where a fact changes them
WAYS              how somebody logs in → its words
EVIDENCE          step → what was seen when it was proven
LINES             step → a function of its facts, where a template does not suffice
"""

from collections.abc import Callable
from dataclasses import dataclass, field, fields
from importlib import import_module
from typing import Any

from probes.report import Facts

KINDS = ("network", "ssh", "tls", "rdp", "vnc", "picture", "web")
Advice = tuple[str, str, str | None]


@dataclass(frozen=True, slots=True)
class Words:
    """The merged tables of one language; the field names in capitals are those of the files."""

    STEPS: dict[str, str] = field(default_factory=dict)
    MISSING: dict[str, str] = field(default_factory=dict)
    REMEDIES: dict[str, Advice] = field(default_factory=dict)
    VARIANTS: dict[tuple[str, str], Advice] = field(default_factory=dict)
    FINDINGS: dict[str, str] = field(default_factory=dict)
    FINDING_VARIANTS: dict[tuple[str, str], str] = field(default_factory=dict)
    WAYS: dict[str, str] = field(default_factory=dict)
    EVIDENCE: dict[str, str] = field(default_factory=dict)
    LINES: dict[str, Callable[[Facts], str]] = field(default_factory=dict)


def _merged(language: str) -> Words:
    words = Words()
    for kind in KINDS:
        module: Any = import_module(f"probes.words.{language}_{kind}")
        for table in fields(Words):
            getattr(words, table.name).update(getattr(module, table.name, {}))
    return words


WORDS = {language: _merged(language) for language in ("es", "en")}
