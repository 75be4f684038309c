"""`run.py doctor`: is everything here that is needed, and what to do where it is not."""

import socket
import sys
from argparse import Namespace
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from rich.table import Table

from commands.progress import announce, console
from commands.summary import DASHBOARD_PORT, SERVICE_PORT, TRACKER_PORT
from state.folder import SOURCE_ROOT, State, StateError

PACKAGES = ("zenml", "mlflow", "bentoml", "evidently", "great-expectations", "scikit-learn", "skops", "pandas")


@dataclass(frozen=True)
class Finding:
    """One thing looked at: `fine`, what was seen, and what to do if it is not."""

    subject: str
    fine: bool
    seen: str
    advice: str = ""


def doctor(state: State, _options: Namespace) -> int:
    """Print the findings; exit code 1 when something stands in the way."""
    table = Table(show_header=False, box=None, padding=(0, 2, 0, 0))
    healthy = True
    with announce("looking around"):
        findings = [*_versions(), *_places(state), *_stack(), _ledger(), *_services()]
    for finding in findings:
        healthy &= finding.fine
        table.add_row("[green]✓[/green]" if finding.fine else "[red]✗[/red]", finding.subject, finding.seen)
        if not finding.fine:
            table.add_row("", "", f"[yellow]→ {finding.advice}[/yellow]")
    console.print(table)
    return 0 if healthy else 1


def _versions() -> Iterator[Finding]:
    python = ".".join(map(str, sys.version_info[:3]))
    yield Finding("Python", (3, 11) <= sys.version_info < (3, 14), python, "use Python 3.11, 3.12 or 3.13")
    locked = _locked_versions()
    for package in PACKAGES:
        try:
            found = version(package)
        except PackageNotFoundError:
            yield Finding(package, False, "not installed", "run 'make install'")
            continue
        fine = found in locked.get(package, {found})
        yield Finding(package, fine, found, f"the lock says {' or '.join(locked.get(package, []))}: run 'make install'")


def _locked_versions() -> dict[str, set[str]]:
    locked: dict[str, set[str]] = {}
    for line in (SOURCE_ROOT / "requirements.lock").read_text(encoding="utf-8").splitlines():
        name, separator, rest = line.partition("==")
        if separator and not line.startswith((" ", "#")):
            locked.setdefault(name, set()).add(rest.split()[0])
    return locked


def _places(state: State) -> Iterator[Finding]:
    try:
        state.prepare()
    except StateError as error:
        yield Finding("state folder", False, str(state.folder), str(error))
    else:
        yield Finding("state folder", True, f"{state.folder} (writable)")
    from bentoml._internal.configuration.containers import BentoMLContainer
    from zenml.utils.io_utils import get_global_config_directory

    for subject, place in (
        ("ZenML's folder", Path(get_global_config_directory())),
        ("Bento store", Path(BentoMLContainer.bentoml_home.get())),
    ):
        try:
            State(place, moved=True).prepare()
        except StateError as error:
            yield Finding(subject, False, str(place), str(error))
        else:
            yield Finding(subject, True, f"{place} (writable)")


def _stack() -> Iterator[Finding]:
    """Every component of the active stack, as it is found before a run."""
    from commands.progress import quieten
    from stacks.apply import ensure_stack, standing
    from stacks.files import StackError, stack_files
    from stacks.health import examine

    quieten()
    try:
        name = ensure_stack()
        as_stated = standing(name) if name in stack_files() else "has no file here"
        yield Finding("active stack", True, f"{name} ({as_stated})")
        for health in examine():
            yield Finding(health.kind, not health.problem, f"{health.name}: {health.seen}", health.problem)
    except StackError as error:
        yield Finding("active stack", False, "not usable", str(error))


def _ledger() -> Finding:
    """A ledger that nobody has written to yet is none, which is fine."""
    from ledger.database import LedgerError, database_url, open_engine, ping

    try:
        engine = open_engine(database_url())
        where = engine.url.render_as_string(hide_password=True)
        if engine.dialect.name == "sqlite" and not Path(engine.url.database or "").is_file():
            return Finding("ledger", True, f"{where} (none yet: a service's first start makes it)")
        ping(engine)
    except (LedgerError, ValueError) as error:
        return Finding("ledger", False, str(error), "see to DATABASE_URL, or start a service, which makes the tables")
    return Finding("ledger", True, f"{where} (answers)")


def _services() -> Iterator[Finding]:
    """Services are optional: a closed port is a fact, not a fault."""
    for subject, port in (("dashboard", DASHBOARD_PORT), ("MLflow", TRACKER_PORT), ("service", SERVICE_PORT)):
        with socket.socket() as probe:
            probe.settimeout(0.5)
            running = probe.connect_ex(("127.0.0.1", port)) == 0
        yield Finding(subject, True, f"{'answers' if running else 'not running'} on 127.0.0.1:{port}")
