"""The table at the end of a training run, and what to do next."""

import shlex
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.table import Table

from commands.progress import console
from state.folder import SOURCE_ROOT, State

DASHBOARD_PORT, TRACKER_PORT, SERVICE_PORT = 8237, 5001, 3000


def show_outcome(state: State, outcome: Mapping[str, Any], taxonomy: Path | None = None) -> None:
    """Print the outcome and the next commands, each as it can be pasted into this shell."""
    low, high = outcome["weighted_f1_interval"]
    champion = outcome["champion_weighted_f1"]
    against = f", production {champion:.3f}" if champion is not None else ""
    rows = {
        "Data contract": _contract(outcome),
        "Listings": f"{outcome['rows']:,} after consolidation, data {outcome['data_hash'][:12]}",
        "Weighted F1": f"{outcome['weighted_f1']:.3f} ({low:.3f} to {high:.3f}){against}",
        "Macro F1": f"{outcome['macro_f1']:.3f}, calibration error {outcome['ece']:.3f}",
        "Decision": f"{'promoted' if outcome['promoted'] else 'not promoted'}: {outcome['reason']}",
        "In production": f"version {outcome['model_version']}, Bento {outcome['bento_tag']}"
        if outcome["model_version"]
        else "no version yet",
        "Time": f"{outcome['seconds']:.0f} s",
    }
    table = Table(show_header=False, box=None, padding=(0, 2, 0, 0))
    for name, value in rows.items():
        table.add_row(f"[bold]{name}[/bold]", value)
    console.print()
    console.print(table)
    console.print("\n[bold]Next[/bold]")
    for what, command in next_commands(state, taxonomy, served=bool(outcome["model_version"])):
        console.print(f"  # {what}", style="dim")
        console.print(f"  {command}", soft_wrap=True, markup=False)


def _contract(outcome: Mapping[str, Any]) -> str:
    broken = outcome["contract_warnings"]
    return f"{outcome['contract']}: {', '.join(broken)}" if broken else "ok"


def next_commands(state: State, taxonomy: Path | None, *, served: bool) -> list[tuple[str, str]]:
    """Return what to do after a run: (purpose, command)."""
    from stacks.apply import connect_tracker

    tracker = connect_tracker()
    python = tool("python")
    commands = []
    if state.moved:
        where = shlex.quote(str(state.folder))
        commands.append(("this state, for the commands below", f'eval "$({python} {_run_py()} env --state {where})"'))
    commands.append(
        (
            f"the ZenML dashboard, http://127.0.0.1:{DASHBOARD_PORT}",
            f"{tool('zenml')} login --local --port {DASHBOARD_PORT} --ip-address 127.0.0.1 </dev/null",
        )
    )
    if tracker.startswith("sqlite"):
        ui = f"{tool('mlflow')} ui --host 127.0.0.1 --port {TRACKER_PORT} --backend-store-uri {shlex.quote(tracker)}"
        commands.append((f"MLflow: runs, plots, the registry, http://127.0.0.1:{TRACKER_PORT}", ui))
    else:
        commands.append(("MLflow: runs, plots, the registry", f"xdg-open {shlex.quote(tracker)}"))
    if served:
        whose = f" --taxonomy {shlex.quote(str(taxonomy))}" if taxonomy else ""
        commands.append(("serve the Bento in production", f"{python} {_run_py()} serve{whose}"))
        address = f"http://127.0.0.1:{SERVICE_PORT}"
        read = "import json, sys; print(json.load(sys.stdin)['access_token'])"
        password = shlex.quote(str(state.folder / "admin-password"))
        commands.append(
            (
                "a token, for half an hour, from another shell",
                f'TOKEN=$(curl -s {address}/login -d username=admin -d "password=$(cat {password})" '
                f'| {python} -c "{read}")',
            )
        )
        listing = '{"designation": "Piscine gonflable ronde", "description": "Diamètre 3 m, avec pompe"}'
        commands.append(
            (
                "ask it; all that it can be asked is on the page " + address,
                f"curl -s {address}/predict -H \"Authorization: Bearer $TOKEN\" -H 'content-type: application/json' "
                f"-d '{listing}'",
            )
        )
    return commands


def tool(name: str) -> str:
    """Return how this shell starts a tool of this environment: by its name when it is the one on the PATH."""
    path = Path(sys.prefix) / "bin" / name
    found = shutil.which(name)
    if found and Path(found).parent == path.parent:
        return name
    return shlex.quote(str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path))


def _run_py() -> str:
    path = SOURCE_ROOT / "run.py"
    return shlex.quote(str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path))
