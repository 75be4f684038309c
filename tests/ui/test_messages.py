"""Every text of the page is there in every language, with the same placeholders, and is used."""

import ast
import string
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
import yaml

from ui.i18n import FOLDER, LANGUAGES, is_singular

FILES = {path.stem: yaml.safe_load(path.read_text(encoding="utf-8")) for path in sorted(FOLDER.glob("*.yaml"))}
ENTRIES = [(name, key) for name, entries in FILES.items() for key in entries]


@dataclass(frozen=True)
class Use:
    """Where the source asks for a text. `key`: exact, or how it begins when the rest is computed."""

    place: str
    file: str
    key: str
    exact: bool
    values: frozenset[str] | None  # None: unknown

    def means(self, name: str, key: str) -> bool:
        return name == self.file and (key == self.key if self.exact else key.startswith(self.key))


def uses() -> Iterator[Use]:
    """Every call of a `Messages` of the source: `text = Messages("file")`, then `text("key", name=value)`."""
    for path in FOLDER.parent.rglob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        files = {
            target.id: node.value.args[0].value
            for node in ast.walk(tree)
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call)
            and isinstance(node.value.func, ast.Name) and node.value.func.id == "Messages"
            and isinstance(node.value.args[0], ast.Constant)
            for target in node.targets if isinstance(target, ast.Name)
        }  # fmt: skip
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in files:
                names = [keyword.arg for keyword in node.keywords]
                values = None if None in names else frozenset(name for name in names if name)
                for key, exact in keys(node.args[0]):
                    yield Use(f"{path.name}:{node.lineno}", str(files[node.func.id]), key, exact, values)


def keys(argument: ast.expr) -> Iterator[tuple[str, bool]]:
    """The keys that an argument may be: a text, one of two texts, or a text with a computed end."""
    match argument:
        case ast.Constant(value=str(key)):
            yield key, True
        case ast.IfExp(body=first, orelse=second):
            yield from keys(first)
            yield from keys(second)
        case ast.JoinedStr(values=[ast.Constant(value=str(start)), *_]):
            yield start, False
        case _:
            raise AssertionError(f"line {argument.lineno}: a key must be written where it is used")


def forms(name: str, key: str, language: str) -> list[str]:
    entry = FILES[name][key][language]
    return list(entry.values()) if isinstance(entry, Mapping) else [entry]


def placeholders(text: str) -> frozenset[str]:
    return frozenset(field for _, field, _, _ in string.Formatter().parse(text) if field is not None)


@pytest.mark.parametrize("name", FILES)
def test_every_text_is_there_in_every_language(name: str) -> None:
    for key, entry in FILES[name].items():
        assert set(entry) == set(LANGUAGES), key
        for language in LANGUAGES:
            assert all(text.strip() for text in forms(name, key, language)), key
            plural = {frozenset(form) for form in entry.values() if isinstance(form, Mapping)}
            assert plural <= {frozenset({"one", "other"})}, key


@pytest.mark.parametrize("name", FILES)
def test_a_text_has_the_same_placeholders_in_every_language(name: str) -> None:
    for key in FILES[name]:
        found = {placeholders(text) - {"count"} for language in LANGUAGES for text in forms(name, key, language)}
        assert len(found) == 1, key


def test_every_text_that_is_asked_for_exists_and_gets_its_values() -> None:
    for use in uses():
        meant = [key for name, key in ENTRIES if use.means(name, key)]
        assert meant, f"{use.place}: {use.key} is not in {use.file}.yaml"
        for key in meant:
            needed = {field for language in LANGUAGES for text in forms(use.file, key, language)
                      for field in placeholders(text)}  # fmt: skip
            assert use.values is None or needed <= use.values, f"{use.place}: {key} needs {needed - use.values}"


def test_every_text_is_used() -> None:
    found = list(uses())
    unused = [(name, key) for name, key in ENTRIES if not any(use.means(name, key) for use in found)]
    assert not unused


def test_no_module_has_the_name_of_a_library() -> None:
    """Streamlit puts the folder of its script first on the import path."""
    names = {path.stem for path in FOLDER.parent.iterdir()} - {"__init__", "__pycache__"}
    assert not names & (set(sys.stdlib_module_names) | set(packages_distributions()))


@pytest.mark.parametrize(("language", "count", "expected"), [("fr", 0, True), ("en", 0, False), ("de", 1, True)])
def test_the_singular_follows_the_language(language: str, count: int, expected: bool) -> None:
    assert is_singular(language, count) is expected


def test_the_folder_of_the_pages_is_none_that_streamlit_runs_by_itself() -> None:
    assert not (Path(FOLDER).parent / "pages").exists()
