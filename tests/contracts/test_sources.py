"""Limits and agreements that hold for every file of the project."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import bridge

ROOT = Path(__file__).parent.parent.parent
MAX_FILE_LINES = 300
MAX_FUNCTION_LINES = 40
SOURCES = sorted(
    path for folder in ("bridge", "models", "tests", "benchmarks") for path in (ROOT / folder).rglob("*.py")
)
LONGER_ON_PURPOSE: dict[str, str] = {}
"""File -> the decision page that allows it to be longer."""


def names(path: Path) -> str:
    return str(path.relative_to(ROOT))


def functions(path: Path) -> Iterator[tuple[str, int]]:
    """Every function's name and its length, decorators not counted."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert node.end_lineno is not None
            yield node.name, node.end_lineno - node.lineno + 1


def test_no_file_is_too_long() -> None:
    long = {names(path) for path in SOURCES if len(path.read_text(encoding="utf-8").splitlines()) > MAX_FILE_LINES}
    assert long == set(LONGER_ON_PURPOSE)
    assert all((ROOT / page).exists() for page in LONGER_ON_PURPOSE.values())


def test_no_function_is_too_long() -> None:
    long = [(names(path), *found) for path in SOURCES for found in functions(path) if found[1] > MAX_FUNCTION_LINES]
    assert long == []


def test_nothing_is_left_for_later() -> None:
    others = [path for path in SOURCES if path != Path(__file__)]
    marked = [path for path in others if re.search(r"\b(TODO|FIXME|XXX|HACK)\b", path.read_text(encoding="utf-8"))]
    assert marked == []


def test_every_dependency_is_pinned_to_a_version_the_project_accepts() -> None:
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    pins = [Requirement(line) for line in lines if line and not line.startswith("#")]
    versions = {canonicalize_name(pin.name): next(iter(pin.specifier)).version for pin in pins}
    assert all(len(pin.specifier) == 1 and next(iter(pin.specifier)).operator == "==" for pin in pins)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"].values()
    for wanted in map(Requirement, [*project["dependencies"], *(line for extra in extras for line in extra)]):
        assert wanted.specifier.contains(versions[canonicalize_name(wanted.name)]), wanted.name


def test_everything_installed_because_of_us_is_pinned_too() -> None:
    pinned = {
        canonicalize_name(re.split("[=;]", line)[0])
        for line in (ROOT / "constraints.txt").read_text().splitlines()
        if not line.startswith("#")
    }
    waiting, seen = [("continuo", "dev")], {"continuo"}
    while waiting:
        parent, extra = waiting.pop()
        for wanted in map(Requirement, metadata.requires(parent) or []):
            name = canonicalize_name(wanted.name)
            is_pinned_by_parent = "==" in str(wanted.specifier)  # as torch pins its CUDA packages
            if name not in seen and not is_pinned_by_parent and applies(wanted, extra):
                seen.add(name)
                waiting.append((name, ""))
    assert seen - pinned == {"continuo"}


def applies(wanted: Requirement, extra: str) -> bool:
    """Whether a requirement holds on this machine, with this extra."""
    return wanted.marker is None or wanted.marker.evaluate({"extra": extra})


def test_the_changelog_knows_the_version() -> None:
    changelog = (ROOT / "CHANGELOG.md").read_text()
    released = re.findall(r"^## \[(.+?)\]", changelog, re.MULTILINE)
    assert released[:2] == ["Unreleased", bridge.__version__]


def test_the_installed_version_is_that_of_the_source() -> None:
    assert metadata.version("continuo") == bridge.__version__


def test_decisions_are_numbered_once_each_and_say_what_became_of_them() -> None:
    pages = sorted((ROOT / "decisions").glob("*.md"))
    numbers = [page.name[:4] for page in pages]
    assert all(number.isdigit() for number in numbers)
    assert len(set(numbers)) == len(numbers)
    for page in pages:
        text = page.read_text(encoding="utf-8")
        assert text.startswith(f"# {int(page.name[:4])}. "), page.name
        assert re.search(r"^Status: (accepted|superseded)", text, re.MULTILINE), page.name
