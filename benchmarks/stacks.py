"""The same training run on several stacks: the time that each stack adds to a step and to a run.

    python -m benchmarks.stacks [local containers airflow] [--size 2000] [--runs 3]

Every stack gets a state folder of its own. Stacks with servers take the addresses from the environment, as
`run.py stack apply` does. The first run builds the image and is not counted. In the counted runs no step comes from the
cache. The stacks take turns. The time of a step is measured by ZenML, from its start to its end. The start of a
container is not part of a step, but of the run.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

from rich.console import Console
from rich.table import Table

from benchmarks.training import ROOT

_LAST_RUN = """
import json
from zenml.client import Client
(run,) = Client().list_pipeline_runs(sort_by="desc:created", size=1, hydrate=True).items
print(json.dumps({name: (step.end_time - step.start_time).total_seconds() for name, step in run.steps.items()}))
"""
progress = Console(stderr=True, highlight=False)


@dataclass(frozen=True)
class Run:
    """Seconds of one run: of the whole process, and of each step as ZenML measures it."""

    seconds: float
    steps: dict[str, float]


def train(state: Path, size: int) -> Run:
    """Train without caches on the active stack of this state. Raises `CalledProcessError` when it fails."""
    started = monotonic()
    _call(state, "run.py", "--size", str(size), "--new-baseline", "--no-cache")
    seconds = monotonic() - started
    return Run(seconds, json.loads(_call(state, "-c", _LAST_RUN).splitlines()[-1]))


def _call(state: Path, *arguments: str) -> str:
    environment = {**os.environ, "STATE_DIR": str(state), "ZENML_CONFIG_PATH": str(state / "zenml")}
    done = subprocess.run(
        [sys.executable, *arguments], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        progress.print(f"{done.stdout[-1_000:]}{done.stderr[-2_000:]}", markup=False)
        done.check_returncode()
    return done.stdout


def main(arguments: list[str]) -> int:
    """Measure, and print one table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.stacks", description=__doc__.split("\n")[0])
    parser.add_argument(
        "stacks", nargs="*", default=["local", "containers"], help="stacks; the others are compared with the first"
    )
    parser.add_argument("--size", type=int, default=2_000, help="embedded listings (2000)")
    parser.add_argument("--runs", type=int, default=3, help="counted runs of each stack (3)")
    options = parser.parse_args(arguments)
    runs: dict[str, list[Run]] = {stack: [] for stack in options.stacks}
    with tempfile.TemporaryDirectory(prefix="stacks-") as folder:
        for stack in options.stacks:
            progress.print(f"{stack}: first run, not counted")
            _call(Path(folder) / stack, "run.py", "stack", "apply", stack)
            train(Path(folder) / stack, options.size)
        for number in range(options.runs):
            for stack in options.stacks:
                progress.print(f"{stack}: run {number + 1} of {options.runs}")
                runs[stack].append(train(Path(folder) / stack, options.size))
    _show(runs, options.size)
    return 0


def _show(runs: dict[str, list[Run]], size: int) -> None:
    table = Table(title=f"Training on {size:,} listings, medians; seconds")
    for column in ("stack", "run", "beyond the first", "its steps", "a step beyond the first's"):
        table.add_column(column, justify="left" if column == "stack" else "right")
    first, *_ = runs.values()
    for stack, own in runs.items():
        beyond = [run.seconds - base.seconds for run, base in zip(own, first, strict=True)]
        steps = [
            run.steps[name] - base.steps[name] for run, base in zip(own, first, strict=True) for name in base.steps
        ]
        whole = statistics.median(run.seconds for run in own)
        inside = statistics.median(sum(run.steps.values()) for run in own)
        table.add_row(
            stack,
            f"{whole:.1f}",
            f"{statistics.median(beyond):+.1f}",
            f"{inside:.1f}",
            f"{statistics.median(steps):+.2f}",
        )
    Console().print(table)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
