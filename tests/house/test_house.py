"""The sizes, the floors and the names of the house: what review would otherwise have to look for every time."""

import ast
import os
import re
import statistics
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.house.source_files import CHECKOUT, PRODUCT, Source, files, sources

FILE_LINES = 400
FUNCTION_LINES = 40
MEDIAN_FUNCTION_LINES = 11
NAIVE_WORDS = {"util", "utils", "helper", "helpers", "manager", "misc"}
NAIVE_NAMES = {"data", "info", "common"}
# Where an unknown exception is the thing itself to handle: a step of the engine, a run of a probe, a request.
DOORS = ("scheduler/engine/", "probes/engine.py", "web/errors.py")
UNFINISHED = re.compile(r"\b(TODO|FIXME|XXX|HACK|NotImplementedError|placeholder page)\b")
MACHINE_PATHS = re.compile(r"(?<![\w.])/(?:work|root|home/\w|Users|mnt)/|\.pyenv\b")


def functions(source: Source) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(source.tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def code_lines(source: Source, function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines from `def` to the end, without docstring, comments and blank lines."""
    body = function.body
    skip: set[int] = set()
    if ast.get_docstring(function) is not None:
        skip = set(range(body[0].lineno, (body[0].end_lineno or 0) + 1))
    lines = source.text.splitlines()
    return sum(
        1
        for number in range(function.lineno, (function.end_lineno or 0) + 1)
        if number not in skip and lines[number - 1].strip() and not lines[number - 1].lstrip().startswith("#")
    )


def test_no_file_is_longer_than_400_lines() -> None:
    too_long = {it.path: it.text.count("\n") for it in sources() if it.text.count("\n") > FILE_LINES}
    assert not too_long


def test_no_function_is_longer_than_40_lines_of_code() -> None:
    too_long = [
        f"{it.path}:{function.lineno} {function.name}: {length}"
        for it in sources()
        if "/migrations/" not in it.path  # a table's columns, one under the other
        for function in functions(it)
        if (length := code_lines(it, function)) > FUNCTION_LINES
    ]
    assert not too_long


def test_the_usual_function_is_short() -> None:
    lengths = [code_lines(it, function) for it in sources(*PRODUCT) for function in functions(it)]
    assert statistics.median(lengths) <= MEDIAN_FUNCTION_LINES


def test_only_the_engine_imports_dbos() -> None:
    importers = {it.path for it in sources() for _, name in it.imports() if name.split(".")[0] == "dbos"}
    stray = {path for path in importers if not path.startswith(("scheduler/engine", "tests/"))}
    assert not stray
    assert importers, "nobody imports dbos: this rule guards nothing"


def test_only_the_checks_import_the_probes() -> None:
    importers = {
        it.path for it in sources(*PRODUCT) for _, name in it.imports() if name.split(".")[0] == "probes"
    }
    # The command lends the probes' own command line its name, and calls nothing else of theirs; the fetcher takes
    # their address guard and the lines it opened.
    allowed = ("probes/", "scheduler/checks", "scheduler/fetching.py", "web/commands/probe.py")
    stray = {path for path in importers if not path.startswith(allowed)}
    assert not stray
    assert any(path.startswith("scheduler/checks") for path in importers), "this rule guards nothing"


def test_the_rules_import_the_standard_library_and_themselves() -> None:
    stray = [
        f"{it.path}:{line} {name}"
        for it in sources("scheduler/rules/")
        for line, name in it.imports()
        if not name.startswith("scheduler.rules") and name.split(".")[0] not in sys.stdlib_module_names
    ]
    assert not stray


@pytest.mark.parametrize(
    ("room", "may_know"),
    [
        ("scheduler/store/", ("scheduler.store", "scheduler.rules")),
        ("probes/", ("probes",)),
        ("scheduler/", ("scheduler", "probes")),
        (".ci/launch/", ("launch",)),
    ],
)
def test_a_room_knows_only_its_own_floor_and_below(room: str, may_know: tuple[str, ...]) -> None:
    ours = ("scheduler", "probes", "web", "launch", "tests", "fixtures", "benchmarks")
    stray = [
        f"{it.path}:{line} {name}"
        for it in sources(room)
        for line, name in it.imports()
        if name.split(".")[0] in ours and not name.startswith(may_know)
    ]
    assert not stray


def test_the_product_does_not_read_the_wall_clock_past_its_seam() -> None:
    seams = {"scheduler/clock.py", "probes/engine.py"}
    stray = [
        f"{it.path}:{node.lineno}"
        for it in sources(*PRODUCT)
        if it.path not in seams
        for node in ast.walk(it.tree)
        if isinstance(node, ast.Call)
        and ast.unparse(node.func) in {"datetime.now", "time.time", "date.today"}
    ]
    assert not stray


def test_unknown_exceptions_are_swallowed_at_the_three_doors_only() -> None:
    stray = [
        f"{it.path}:{handler.lineno}"
        for it in sources()
        if not it.path.startswith((*DOORS, "tests/"))
        for handler in ast.walk(it.tree)
        if isinstance(handler, ast.ExceptHandler) and _catches_all(handler) and not _raises_again(handler)
    ]
    assert not stray


def _catches_all(handler: ast.ExceptHandler) -> bool:
    return handler.type is None or bool(re.search(r"\b(Base)?Exception\b", ast.unparse(handler.type)))


def _raises_again(handler: ast.ExceptHandler) -> bool:
    last = handler.body[-1]
    return isinstance(last, ast.Raise) and last.exc is None


def test_no_name_says_nothing() -> None:
    named = [(it.path, Path(it.path).stem) for it in sources()]
    named += [
        (f"{it.path}:{node.lineno}", node.name)
        for it in sources()
        for node in ast.walk(it.tree)
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    assert not [(where, name) for where, name in named if name in NAIVE_NAMES or NAIVE_WORDS & _words(name)]


def _words(name: str) -> set[str]:
    return {word.lower() for word in re.findall(r"[A-Z]?[a-z]+|[A-Z]+", name)}


def test_nothing_is_left_unfinished() -> None:
    left = [
        f"{it.path}:{number} {line.strip()}"
        for it in sources()
        if it.path != "tests/house/test_house.py"
        for number, line in enumerate(it.text.splitlines(), 1)
        if UNFINISHED.search(line)
    ]
    assert not left


def test_no_file_names_a_folder_of_one_machine() -> None:
    texts = (".py", ".md", ".toml", ".lock", ".sh", ".yml", ".yaml", ".html", ".json", ".ini", ".cfg")
    named = [
        f"{name}:{number} {line.strip()[:80]}"
        for name in files()
        if name.endswith(texts) or "." not in Path(name).name
        if not name.startswith("docker/")
        and name != "tests/house/test_house.py"  # a container's paths are its own
        for number, line in enumerate((CHECKOUT / name).read_text(errors="replace").splitlines(), 1)
        if MACHINE_PATHS.search(line)
    ]
    assert not named


@pytest.mark.parametrize("name", ["ventana", "test", ".ci/run"])
def test_a_launcher_can_be_executed(name: str) -> None:
    path = CHECKOUT / name
    assert os.access(path, os.X_OK)
    assert path.read_text().startswith("#!/bin/sh\n")


IMPORT_ALL = """
import contextlib, importlib, os, sys
OUTSIDE = {"socket.connect", "socket.bind", "socket.getaddrinfo", "sqlite3.connect", "subprocess.Popen", "os.mkdir"}
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT
def watch(event, arguments):
    if event in OUTSIDE or (event == "open" and isinstance(arguments[2], int) and arguments[2] & WRITING):
        print(module, event, arguments[:1])
sys.dont_write_bytecode = True
libraries, ours = (part.split() for part in sys.argv[1:])
for module in libraries:  # what they do when they are imported is theirs
    with contextlib.suppress(ImportError):
        importlib.import_module(module)
sys.addaudithook(watch)
for module in ours:
    importlib.import_module(module)
"""


def test_nothing_happens_at_import() -> None:
    """No file is written, no socket, database or process opened by importing any module of the product."""
    own = ("__main__.py", "migrations/env.py")  # Python and Alembic run these; nobody imports them
    modules = [it.module for it in sources(*PRODUCT) if not it.path.endswith(own)]
    imported = {name.rpartition(".")[0] or name for it in sources(*PRODUCT) for _, name in it.imports()}
    libraries = sorted(name for name in imported if not name.startswith(("scheduler", "probes", "web.")))
    run = subprocess.run(
        [sys.executable, "-c", IMPORT_ALL, " ".join(libraries), " ".join(modules)],
        cwd=CHECKOUT,
        env=os.environ | {"PYTHONPATH": str(CHECKOUT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (run.returncode, run.stdout) == (0, ""), run.stderr
