"""`run.py doctor`: check whether everything that is needed is here, and say what to do about what is not."""

import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from commands.options import add_state
from state.folder import SOURCE_ROOT, State, StateError, require_writable
from terminal.console import announce, console
from terminal.errors import CommandError, in_a_line
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
    from rich.text import Text

    table = Table(show_header=False, box=None, padding=(0, 2, 0, 0))
    healthy = True
    with announce("checking"):
        diagnoses = [
            *guarded("packages", _versions, "run 'make install'"),
            *guarded("state folder", lambda: _state_folder(state), "name another folder with --state DIR"),
            *guarded("ZenML's folder", _zenml_home, "name another folder with --state DIR or ZENML_CONFIG_PATH"),
            *guarded("Bento store", _bento_store, "name another folder with --state DIR or BENTOML_HOME"),
            *guarded("active stack", _stack, "'zenml status' shows what ZenML uses; name another folder with --state"),
            *guarded("ledger", _ledger, "check DATABASE_URL"),
            *guarded("services", _services, "look for the programs on their ports yourself"),
        ]
    for diagnosis in diagnoses:
        healthy &= diagnosis.fine
        mark = Text("✓", style="green") if diagnosis.fine else Text("✗", style="red")
        table.add_row(mark, diagnosis.subject, diagnosis.seen)
        if not diagnosis.fine:
            table.add_row("", "", Text(f"→ {diagnosis.advice}", style="yellow"))
    console().print(table)
    return 0 if healthy else 1


def guarded(subject: str, diagnose: Callable[[], Iterable[Diagnosis]], advice: str) -> Iterator[Diagnosis]:
    """Yield the diagnoses of a subject; an error while it is examined is one of them, with the advice."""
    try:
        yield from diagnose()
    except CommandError as error:  # its message says what to do
        yield Diagnosis(subject, False, "not usable", str(error))
    except Exception as error:  # a library may raise anything about what is broken here: that is what is to be found
        yield Diagnosis(subject, False, f"cannot be examined ({in_a_line(error)})", advice)


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


def _place(subject: str, folder: Path, what: str) -> Diagnosis:
    try:
        require_writable(folder, what)
    except StateError as error:
        return Diagnosis(subject, False, str(folder), str(error))
    return Diagnosis(subject, True, f"{folder} (writable)")


def _state_folder(state: State) -> Iterator[Diagnosis]:
    yield _place("state folder", state.folder, "the state folder")


def _zenml_home() -> Iterator[Diagnosis]:
    from stacks.home import zenml_home

    yield _place("ZenML's folder", zenml_home(), "ZenML's folder")


def _bento_store() -> Iterator[Diagnosis]:
    from stacks.bentos import store_folder

    yield _place("Bento store", store_folder(), "the Bento store")


def _stack() -> Iterator[Diagnosis]:
    """Yield the active stack and each of its components, examined as before a run."""
    from stacks.active import ensure_stack
    from stacks.apply import application_status
    from stacks.files import stack_files
    from stacks.health import examine
    from terminal.progress import hide_zenml_log

    hide_zenml_log()
    name = ensure_stack()
    applied = application_status(name) if name in stack_files() else "has no file here"
    yield Diagnosis("active stack", True, f"{name} ({applied})")
    answers = True
    for status in examine():
        yield Diagnosis(status.kind, not status.problem, f"{status.name}: {status.seen}", status.problem)
        answers &= status.kind != "experiment tracker" or not status.problem
    if answers:  # of a tracker that does not, MLflow would ask the registry for minutes
        yield from guarded("model registry", _registry, "check the experiment tracker of the active stack")


def _registry() -> Iterator[Diagnosis]:
    """Yield whether the tracker answers a question, and not only whether its address is known."""
    from stacks.active import connect_tracker

    connect_tracker()
    from tracking.registry import model_names

    names = model_names()
    yield Diagnosis("model registry", True, f"models: {', '.join(names)}" if names else "no model yet")


def _ledger() -> Iterator[Diagnosis]:
    """Yield whether the ledger answers. A ledger does not exist before its first use, which is fine."""
    from ledger.database import LedgerError, check, database_url, open_engine

    try:
        engine = open_engine(database_url())
        where = engine.url.render_as_string(hide_password=True)
        if engine.dialect.name == "sqlite" and not Path(engine.url.database or "").is_file():
            yield Diagnosis("ledger", True, f"{where} (does not exist yet: the first start of a service creates it)")
            return
        check(engine)
    except (LedgerError, ValueError) as error:
        yield Diagnosis("ledger", False, str(error), "check DATABASE_URL, or start a service, which creates the tables")
    else:
        yield Diagnosis("ledger", True, f"{where} (can be read and written)")


def _services() -> Iterator[Diagnosis]:
    """Yield which services run. They are optional, so a closed port is fine."""
    import socket

    for subject, port in (("dashboard", DASHBOARD_PORT), ("MLflow", TRACKER_PORT), ("service", SERVICE_PORT)):
        with socket.socket() as probe:
            probe.settimeout(0.5)
            running = probe.connect_ex(("127.0.0.1", port)) == 0
        yield Diagnosis(subject, True, f"{'a program listens' if running else 'not running'} on 127.0.0.1:{port}")
