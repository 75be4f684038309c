"""Text of users and data is printed as it is."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from commands.doctor import Diagnosis
from terminal.console import announce, console
from tests.conftest import ROOT

HOSTILE = "[/x] [bold]b[/bold] :smile: [link=file:///etc]l[/link] \\[ [red]"
MARKUP = re.compile(r"\[/?(bold|dim|red|green|yellow|blue|italic)\]|from_markup|rich\.markup")


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[pytest.CaptureFixture[str]]:
    monkeypatch.setenv("COLUMNS", "200")
    console.cache_clear()  # it knows the width that it was created with
    yield capsys
    console.cache_clear()


def test_lines_tables_and_announcements_are_not_read_as_markup(shown: pytest.CaptureFixture[str]) -> None:
    from terminal.tables import show_next, show_rows

    console().print(HOSTILE)
    with announce(HOSTILE):
        show_rows({HOSTILE: HOSTILE})
    show_next([(HOSTILE, HOSTILE)])
    assert shown.readouterr().out.count(HOSTILE) == 6


def test_a_spinner_is_not_read_as_markup() -> None:
    from terminal.console import status

    assert str(status(HOSTILE).status) == HOSTILE


def test_what_doctor_sees_is_not_read_as_markup(
    monkeypatch: pytest.MonkeyPatch, shown: pytest.CaptureFixture[str]
) -> None:
    from argparse import Namespace

    from commands import doctor
    from state.folder import State

    monkeypatch.setattr(doctor, "guarded", lambda subject, *_: [Diagnosis(subject, False, HOSTILE, HOSTILE)])
    assert doctor.doctor(State(Path("/nowhere"), moved=True), Namespace()) == 1
    assert shown.readouterr().out.count(HOSTILE) == 14


def test_no_module_writes_markup() -> None:
    modules = [path for package in ("commands", "terminal", "stacks") for path in (ROOT / package).rglob("*.py")]
    assert not [path for path in [*modules, ROOT / "run.py"] if MARKUP.search(path.read_text(encoding="utf-8"))]
