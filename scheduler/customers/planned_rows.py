"""Planned rows as they are kept between preview and writing: JSON, compressed."""

import json
import zlib
from collections.abc import Iterable
from dataclasses import fields
from typing import Any

from scheduler.customers.importing import Planned
from scheduler.rules.refusals import InvalidInput

_PLAIN = [each.name for each in fields(Planned) if each.name != "problem"]


def pack(rows: Iterable[Planned]) -> bytes:
    """The rows to keep."""
    return zlib.compress(json.dumps([_document(row) for row in rows], ensure_ascii=False).encode())


def unpack(kept: bytes) -> list[Planned]:
    """The rows as they were."""
    return [_row(document) for document in json.loads(zlib.decompress(kept))]


def _document(row: Planned) -> dict[str, Any]:
    document = {name: getattr(row, name) for name in _PLAIN}
    if row.problem is not None:
        document["problem"] = {"field": row.problem.field, "problem": row.problem.problem} | {
            "facts": {k: v for k, v in row.problem.facts.items() if k not in ("field", "problem")}
        }
    return {name: value for name, value in document.items() if value not in (None, {})}


def _row(document: dict[str, Any]) -> Planned:
    problem = document.pop("problem", None)
    if problem is None:
        return Planned(**document)
    refusal = InvalidInput(problem["field"], problem["problem"], **problem["facts"])
    return Planned(**document, problem=refusal)
