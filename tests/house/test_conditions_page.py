"""docs/conditions.md against the product: every condition has its line, and what the line names exists."""

import ast
import importlib
import re
from types import SimpleNamespace

import pytest
from flask import Flask

from tests.house.source_files import CHECKOUT, sources
from web.customer import customer
from web.dispatcher import dispatcher
from web.public import public
from web.technician import technician

PAGE = (CHECKOUT / "docs" / "conditions.md").read_text()
WANTED = {f"C{number}" for number in range(1, 12)} | {"RMA", "reseller"}
ROWS = {
    cells[0]: cells
    for line in PAGE.splitlines()
    if line.startswith("| ") and (cells := [cell.strip() for cell in line.strip("|").split("|")])[0]
}
READERS = {
    "customer": "tests/browser/test_conditions_customer.py",
    "dispatcher": "tests/browser/test_conditions_dispatcher.py",
}


def named(text: str) -> list[str]:
    """What stands in backticks."""
    return re.findall(r"`([^`]+)`", text)


def addresses() -> set[str]:
    """Every address that the product answers, with its variables made alike."""
    app = Flask("house")
    app.extensions["ventana"] = SimpleNamespace(
        settings=SimpleNamespace(threads=2)
    )  # asked for when pages register
    for blueprint in (customer, dispatcher, technician, public):
        app.register_blueprint(blueprint)
    return {alike(rule.rule) for rule in app.url_map.iter_rules()}


def alike(address: str) -> str:
    return re.sub(r"<[^>]*>", "<>", address)


def written_in(path: str) -> set[str]:
    tree = next(each.tree for each in sources("tests/browser/") if each.path == path)
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


def exists(name: str) -> bool:
    """Whether a dotted name is a module or something in one."""
    try:
        importlib.import_module(name)
    except ModuleNotFoundError:
        module, _, member = name.rpartition(".")
        return hasattr(importlib.import_module(module), member)
    return True


def test_every_condition_has_its_line_and_no_other() -> None:
    assert set(ROWS) == WANTED


def test_the_page_of_conditions_numbers_the_same_ones() -> None:
    numbers = set(re.findall(r'"(C\d+)"', (CHECKOUT / "web" / "public.py").read_text()))
    # C8 and C9 are made there, one for each set of methods.
    assert numbers | {"C8", "C9"} == {name for name in WANTED if name.startswith("C")}


@pytest.mark.parametrize("line", sorted(WANTED))
def test_the_line_names_a_rule_pages_of_both_and_a_test_of_each(line: str) -> None:
    _, what, rules, pages, tests = ROWS[line]
    assert what
    assert named(rules)
    assert [name for name in named(rules) if not exists(name)] == []
    assert [name for name in named(pages) if alike(name) not in addresses()] == []
    by_reader = dict(part.strip().split(" ", 1) for part in pages.split(";"))
    assert all(named(by_reader[reader]) for reader in READERS)
    for reader, test in zip(READERS, named(tests), strict=True):
        assert test in written_in(READERS[reader])


def test_the_files_that_the_page_names_exist() -> None:
    files = [name for name in named(PAGE) if "/" in name and name.endswith((".py", ".toml", ".md"))]
    assert files
    assert [name for name in files if not (CHECKOUT / name).is_file()] == []


def test_no_browser_test_of_a_condition_is_left_out() -> None:
    told = {test for cells in ROWS.values() for test in named(cells[4])}
    written = {name for path in READERS.values() for name in written_in(path) if name.startswith("test_")}
    assert written == told
