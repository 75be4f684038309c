"""The main job as a whole process, compared with a plain script that does the same work without ZenML.

A third contestant is a stand-in for the training that the pipeline replaces (`benchmarks.replaced_training`), which
does less: nothing is checked, compared, tracked or packaged.

    python -m benchmarks.training [--sizes 20000 84916] [--runs 3]

Each run starts with an empty state folder. Measured are its duration in seconds and the peak memory of its largest
process, as counted by the kernel. They take turns, so that changes of the machine's speed affect all alike. The table
shows medians, and the median of the ratios of each round.
"""

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

from rich.console import Console
from rich.table import Table

from benchmarks.replaced_training import X, Y
from catalog.synthetic import generate

ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Measured:
    """One finished process."""

    seconds: float
    peak_mib: float


def measure(arguments: list[str], state: Path) -> Measured:
    """Run a command of this checkout to its end. Raises `CalledProcessError` with its output when it fails."""
    # A child process waits for the command, so that the peak is of this command and not of an earlier one.
    reader, writer = os.pipe()
    started = monotonic()
    if (child := os.fork()) == 0:
        done = subprocess.run(
            [sys.executable, *arguments], cwd=ROOT, env={**os.environ, "STATE_DIR": str(state)},
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
        )  # fmt: skip
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss  # KiB on Linux
        os.write(writer, f"{peak}\n".encode() + done.stdout[-2_000:])
        os._exit(done.returncode and 1)
    os.close(writer)
    with os.fdopen(reader, "rb") as answer:
        peak_line, _, output = answer.read().partition(b"\n")
    _, status = os.waitpid(child, 0)
    if status:
        raise subprocess.CalledProcessError(status, arguments, output.decode(errors="replace"))
    return Measured(monotonic() - started, int(peak_line) / 1024)


def write_tables(size: int, folder: Path) -> None:
    """Write the embedded listings as the tables of the challenge."""
    listings = generate(size).set_index("index").rename_axis(None)
    listings.drop(columns="prdtypecode").to_csv(folder / X)
    listings[["prdtypecode"]].to_csv(folder / Y)


def main(arguments: list[str]) -> int:
    """Measure, and print one table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.training", description=__doc__.split("\n")[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=[20_000], help="embedded listings (20000)")
    parser.add_argument("--runs", type=int, default=3, help="rounds of runs for each size (3)")
    options = parser.parse_args(arguments)
    table = Table(title="Main job, medians of whole processes")
    for column in ("listings", "what", "seconds", "peak MiB", "times the plain script"):
        table.add_column(column, justify="left" if column == "what" else "right")
    for size in options.sizes:
        first, again, plain, replaced = [], [], [], []
        for _ in range(options.runs):
            with tempfile.TemporaryDirectory() as folder:
                state = Path(folder)
                first.append(measure(["run.py", "--size", str(size)], state))
                again.append(measure(["run.py", "--size", str(size)], state))
                plain.append(measure(["-m", "benchmarks.plain_training", "--size", str(size)], state))
                write_tables(size, state)
                replaced.append(measure(["-m", "benchmarks.replaced_training", folder], state))
        contestants = {
            "python run.py": first,
            "again, nothing changed": again,
            "plain script": plain,
            "the replaced way": replaced,
        }
        for what, runs in contestants.items():
            ratio = statistics.median(run.seconds / base.seconds for run, base in zip(runs, plain, strict=True))
            seconds, peak = (statistics.median(getattr(run, key) for run in runs) for key in ("seconds", "peak_mib"))
            table.add_row(f"{size:,}", what, f"{seconds:.1f}", f"{peak:,.0f}", f"{ratio:.2f}")
    Console().print(table)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
