"""Catalogues of growing size, scored by `run.py score`, beside what one would write instead.

    python -m benchmarks.scoring [--sizes 10000 100000] [--workers 1 2] [--dask 1 2]

The model is trained once, as in the main job, in an empty state folder. A catalogue is generated, scored and deleted;
its listings are not those of the training. "pandas and scikit-learn" reads the catalogue in chunks of 5,000 rows and
asks the trained estimator for its probabilities. "predictor" is the packaged model alone, in one process that has the
texts in memory: it reads, writes and detects no languages. It is asked for batches, as by a worker, and listing by
listing. Start-up lasts until the first part is stored; the rate is
that of the rows after it, until the output is complete. Memory is the most that the command and its processes had at a
time, with shared pages counted once (of Dask, the command alone).
"""

import argparse
import csv
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Thread
from time import perf_counter, time

import psutil
from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).resolve().parents[1]
_CHUNK = 5_000
_KNOWN = 50_000  # different listings; a catalogue of more repeats them with other numbers in the title
_FEWEST = 200  # listings that can be generated
_FEW = 20_000  # rows for what is slow
_SHARD = 1_000  # rows, so that a small catalogue has several parts
_LOOK, _LOOK_AT_MEMORY = 0.02, 0.5  # seconds between two looks


@dataclass(frozen=True)
class Measured:
    """A finished command: its seconds until the first part, rows a second after it, and the most MiB that it had."""

    start_up: float
    rate: float
    peak_mib: float


def main(arguments: list[str]) -> int:
    """Measure, and print the tables."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scoring", description=__doc__.split("\n")[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=[10_000, 100_000], help="rows (10000 100000)")
    parser.add_argument("--workers", type=int, nargs="+", default=[1, os.cpu_count() or 1], help="processes (1, cores)")
    parser.add_argument("--dask", type=int, nargs="*", default=[], metavar="N", help="also so many workers of Dask")
    parser.add_argument("--folder", type=Path, help="where the catalogues are written (default: a temporary folder)")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="scoring-", dir=options.folder) as name:
        folder = Path(name)
        subprocess.run(
            [sys.executable, "run.py"], cwd=ROOT, env=_environment(folder), check=True, stdout=subprocess.DEVNULL
        )
        table = _measure(folder, options.sizes, options.workers, options.dask)
    Console().print(table)
    return 0


def _measure(folder: Path, sizes: list[int], workers: list[int], dask: list[int]) -> Table:
    table = Table("what", "rows", "start-up s", "rows a second", "peak MiB", title="Scoring a catalogue")
    catalogue = folder / "catalogue.csv"
    write_catalogue(catalogue, _FEW)
    for name, rate in alone(folder, catalogue):
        table.add_row(name, f"{_FEW:,}", "", f"{rate:,.0f}", "")
    for size in sizes:
        write_catalogue(catalogue, size)
        for count in workers:
            done = score(folder, catalogue, size, "--workers", str(count))
            _add(table, f"run.py score --workers {count}", size, done)
        for count in dask:
            with scheduler(folder, count) as address:
                done = score(folder, catalogue, size, "--engine", "dask", "--scheduler", address)
            _add(table, f"run.py score --engine dask, workers: {count}", size, done)
    return table


def _add(table: Table, what: str, size: int, done: Measured) -> None:
    table.add_row(what, f"{size:,}", f"{done.start_up:,.1f}", f"{done.rate:,.0f}", f"{done.peak_mib:,.0f}")


def write_catalogue(path: Path, rows: int) -> None:
    """Write a csv file of listings that differ from each other."""
    from catalog.synthetic import generate

    known = generate(max(_FEWEST, min(rows, _KNOWN)), seed=71)
    texts = list(zip(known["designation"], known["description"].fillna(""), strict=True))
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["index", "designation", "description"])
        for number in range(rows):
            title, description = texts[number % len(texts)]
            again = number // len(texts)
            writer.writerow([number, f"{title} {again}" if again else title, description])


def score(folder: Path, catalogue: Path, rows: int, *options: str) -> Measured:
    """Score a catalogue with `run.py score`, delete the answers, and return what it took."""
    out = folder / "answers.csv"
    command = [sys.executable, "run.py", "score", str(catalogue), str(out), "--shard-rows", str(_SHARD), *options]
    began = time()
    process = subprocess.Popen(command, cwd=ROOT, env=_environment(folder), stdout=subprocess.DEVNULL)
    with watched(process.pid, folder / "answers.csv.parts" / "_journal") as seen:
        code = process.wait()
    if code:
        raise subprocess.CalledProcessError(code, command)
    complete = (folder / "answers.csv.run.json").stat().st_mtime
    for path in folder.glob("answers.csv*"):
        path.unlink()
    return Measured(seen.first - began, (rows - seen.parts * _SHARD) / (complete - seen.first), seen.peak_mib)


def alone(folder: Path, catalogue: Path) -> Iterator[tuple[str, float]]:
    """Yield what scores a catalogue otherwise, and its rows a second on one core."""
    import pandas as pd

    from benchmarks.predictor import fit
    from catalog.garbage import keep_what_is_loaded
    from catalog.predictor import Predictor

    model = folder / "model"
    model.mkdir()
    classifier, _ = fit(20_000, 1, model)
    began = perf_counter()
    with (folder / "chunks.csv").open("w", encoding="utf-8") as file:
        for chunk in pd.read_csv(catalogue, chunksize=_CHUNK, keep_default_na=False):
            found = classifier.predict_proba(chunk[["designation", "description"]])
            best = found.argmax(axis=1)
            answers = {"id": chunk["index"], "code": classifier.classes_[best], "confidence": found.max(axis=1)}
            pd.DataFrame(answers).to_csv(file, index=False, header=False)
    yield "pandas and scikit-learn, one process", _FEW / (perf_counter() - began)
    table = pd.read_csv(catalogue, keep_default_na=False)
    texts = list(zip(table["designation"], table["description"], strict=True))
    predictor = Predictor(model)
    keep_what_is_loaded()  # as a worker does
    began = perf_counter()
    predictor.predict_batch(texts, 1)
    yield "predictor, one process", _FEW / (perf_counter() - began)
    predictor = Predictor(model)  # whose caches are empty
    began = perf_counter()
    for title, description in texts:
        predictor.predict_top_k(title, description, 1)
    yield "predictor asked one by one, one process", _FEW / (perf_counter() - began)


@dataclass
class Seen:
    """What was seen of a command so far: when its first parts were there, how many; the most MiB that it had."""

    first: float = 0
    parts: int = 0
    peak_mib: float = 0


@contextmanager
def watched(pid: int, journal: Path) -> Iterator[Seen]:
    """Watch a process and its children while the body runs."""
    seen, ended = Seen(), Event()

    def look() -> None:
        looked = 0.0
        while not ended.wait(_LOOK):
            if not seen.parts and (entries := list(journal.glob("*.json"))):
                seen.first, seen.parts = time(), len(entries)
            if time() - looked > _LOOK_AT_MEMORY:
                looked = time()
                with suppress(psutil.Error):
                    process = psutil.Process(pid)
                    family = [process, *process.children(recursive=True)]
                    seen.peak_mib = max(seen.peak_mib, sum(each.memory_full_info().pss for each in family) / 2**20)

    thread = Thread(target=look)
    thread.start()
    try:
        yield seen
    finally:
        ended.set()
        thread.join()


@contextmanager
def scheduler(folder: Path, workers: int) -> Iterator[str]:
    """Run a scheduler of Dask with so many workers, and yield its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"tcp://127.0.0.1:{probe.getsockname()[1]}"
    dask = [sys.executable, "-m", "dask"]
    commands = [[*dask, "scheduler", "--no-dashboard", "--host=127.0.0.1", f"--port={address.rpartition(':')[2]}"]]
    worker = [*dask, "worker", address, "--no-dashboard", "--no-nanny", "--nthreads=1", f"--local-directory={folder}"]
    commands += [worker] * workers
    environment = {**_environment(folder), "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    with (folder / "dask.log").open("ab") as log:
        running = [
            subprocess.Popen(command, env=environment, cwd=folder, stdout=log, stderr=log) for command in commands
        ]
    try:
        from distributed import Client

        with Client(address, timeout=60, set_as_default=False) as client:
            client.wait_for_workers(workers, timeout=60)
        yield address
    finally:
        for process in reversed(running):
            process.terminate()
            process.wait()


def _environment(folder: Path) -> dict[str, str]:
    return {**os.environ, "STATE_DIR": str(folder / "state")}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
