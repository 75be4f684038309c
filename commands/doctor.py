"""`run.py doctor`: check whether everything that is needed is here, and say what to do about what is not."""

import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from commands.options import add_state
from state.folder import SOURCE_ROOT, State, StateError
from terminal.console import announce, console
from terminal.next_commands import DASHBOARD_PORT, SERVICE_PORT, TRACKER_PORT

PACKAGES = ("zenml", "mlflow", "bentoml", "evidently", "great-expectations", "scikit-learn", "skops", "pandas")


@dataclass(frozen=True)
class Diagnosis:
    """One subject: whether it is `fine`, what was seen, and the advice when it is not fine."""

    subject: str
    fine: bool
    seen: str
    advice: str = ""


def add_options(parser: ArgumentParser) -> None:
    """Declare the options of `doctor`."""
    add_state(parser)


def doctor(state: State, _options: Namespace) -> int:
    """Print a diagnosis a line; exit code 1 when something has to be repaired."""
    from rich.table import Table

    table = Table(show_header=False, box=None, padding=(0, 2, 0, 0))
    healthy = True
    with announce("checking"):
        diagnoses = [*_versions(), *_places(state), *_stack(), _ledger(), *_services()]
    for diagnosis in diagnoses:
        healthy &= diagnosis.fine
        table.add_row("[green]✓[/green]" if diagnosis.fine else "[red]✗[/red]", diagnosis.subject, diagnosis.seen)
        if not diagnosis.fine:
            table.add_row("", "", f"[yellow]→ {diagnosis.advice}[/yellow]")
    console().print(table)
    return 0 if healthy else 1


def _versions() -> Iterator[Diagnosis]:
    from importlib.metadata import PackageNotFoundError, version

    python = ".".join(map(str, sys.version_info[:3]))
    yield Diagnosis("Python", (3, 11) <= sys.version_info < (3, 14), python, "use Python 3.11, 3.12 or 3.13")
    locked = _locked_versions()
    for package in PACKAGES:
        try:
            found = version(package)
        except PackageNotFoundError:
            yield Diagnosis(package, False, "not installed", "run 'make install'")
            continue
        fine = found in locked.get(package, {found})
        yield Diagnosis(
            package, fine, found, f"the lock says {' or '.join(locked.get(package, []))}: run 'make install'"
        )


def _locked_versions() -> dict[str, set[str]]:
    locked: dict[str, set[str]] = {}
    for line in (SOURCE_ROOT / "requirements.lock").read_text(encoding="utf-8").splitlines():
        name, separator, rest = line.partition("==")
        if separator and not line.startswith((" ", "#")):
            locked.setdefault(name, set()).add(rest.split()[0])
    return locked


def _places(state: State) -> Iterator[Diagnosis]:
    try:
        state.prepare()
    except StateError as error:
        yield Diagnosis("state folder", False, str(state.folder), str(error))
    else:
        yield Diagnosis("state folder", True, f"{state.folder} (writable)")
    from bentoml._internal.configuration.containers import BentoMLContainer
    from zenml.utils.io_utils import get_global_config_directory

    for subject, place in (
        ("ZenML's folder", Path(get_global_config_directory())),
        ("Bento store", Path(BentoMLContainer.bentoml_home.get())),
    ):
        try:
            State(place, moved=True).prepare()
        except StateError as error:
            yield Diagnosis(subject, False, str(place), str(error))
        else:
            yield Diagnosis(subject, True, f"{place} (writable)")


def _stack() -> Iterator[Diagnosis]:
    """Yield the active stack and each of its components, examined as before a run."""
    from stacks.active import ensure_stack
    from stacks.apply import application_status
    from stacks.files import StackError, stack_files
    from stacks.health import examine
    from terminal.progress import hide_zenml_log

    hide_zenml_log()
    try:
        name = ensure_stack()
        applied = application_status(name) if name in stack_files() else "has no file here"
        yield Diagnosis("active stack", True, f"{name} ({applied})")
        for status in examine():
            yield Diagnosis(status.kind, not status.problem, f"{status.name}: {status.seen}", status.problem)
    except StackError as error:
        yield Diagnosis("active stack", False, "not usable", str(error))


def _ledger() -> Diagnosis:
    """Return whether the ledger answers. A ledger does not exist before its first use, which is fine."""
    from ledger.database import LedgerError, database_url, open_engine, ping

    try:
        engine = open_engine(database_url())
        where = engine.url.render_as_string(hide_password=True)
        if engine.dialect.name == "sqlite" and not Path(engine.url.database or "").is_file():
            return Diagnosis("ledger", True, f"{where} (does not exist yet: the first start of a service creates it)")
        ping(engine)
    except (LedgerError, ValueError) as error:
        return Diagnosis(
            "ledger", False, str(error), "check DATABASE_URL, or start a service, which creates the tables"
        )
    return Diagnosis("ledger", True, f"{where} (answers)")


def _services() -> Iterator[Diagnosis]:
    """Yield which services run. They are optional, so a closed port is fine."""
    import socket

    for subject, port in (("dashboard", DASHBOARD_PORT), ("MLflow", TRACKER_PORT), ("service", SERVICE_PORT)):
        with socket.socket() as probe:
            probe.settimeout(0.5)
            running = probe.connect_ex(("127.0.0.1", port)) == 0
        yield Diagnosis(subject, True, f"{'answers' if running else 'not running'} on 127.0.0.1:{port}")
