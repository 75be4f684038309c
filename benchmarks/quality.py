"""The default model, the same with parts left out, and what a user writes in ten lines: how good, how fast, how large.

    python -m benchmarks.quality [--sizes 2000 20000] [--data DIR] [--models default LinearSVC]
    python -m benchmarks.quality --types 27 300 3000 --models default

Without `--data` the listings are embedded ones, `--sizes` of them. `DIR` has the challenge's files; `--sizes` are then
listings to train on (0: all), and a file `clusters.csv` (index,cluster) adds a second split, in which no cluster is on
both sides. `--types` makes other types of 20,000 embedded listings.

All models learn from the same train rows and answer the same test rows; ours alone use the validation rows, to choose
settings and temperature. Each model is fitted in a process of its own, and times are those of the processor. Intervals
are of 95 %, from a bootstrap. The difference is that of the default and a model on the same rows: where it lies below
0, the model wins.
"""

import argparse
import pickle
import resource
import sys
import tempfile
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from multiprocessing import get_context
from pathlib import Path
from time import process_time

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from benchmarks.peers import PEERS, missing_package
from benchmarks.quality_sets import ListingSet, embedded, of_files, with_many_types
from catalog.candidates import Candidate, fit_candidates
from catalog.classifier import ProductTypeClassifier
from catalog.comparison import PromotionRules, paired_bootstrap
from catalog.model_folder import Manifest
from catalog.predictor import Predictor
from catalog.scores import weighted_f1
from catalog.sentence_vectors import ENCODER, EncoderError, require_encoder
from pipelines.config import DEFAULT, TrainingConfig

OURS, VECTORS = "default", "sentence vectors too"
Codes = NDArray[np.int64]


@dataclass(frozen=True)
class Measured:
    """A model's answers: to the test rows, to their titles alone, and to the descriptions of those that have one."""

    answers: tuple[Codes, ...]
    fit_seconds: float
    peak_mib: float
    microseconds: float  # a listing, of 1,000 at a time
    size_mib: float


def our_models() -> dict[str, Candidate]:
    """Return the default candidate, and what it is with parts left out."""
    default = TrainingConfig.read(DEFAULT).candidates["blend"]
    words, characters = default.blocks
    of_title = [replace(block, field="title", weight=1.0) for block in default.blocks]
    frequent = [replace(block, minimum_listings=2) for block in default.blocks]

    def changed(**parts: object) -> Candidate:
        return default.model_copy(update=parts)

    return {
        OURS: default,
        "without naive Bayes": changed(bayes_share=0.0),
        "naive Bayes alone": changed(bayes_share=1.0),
        "nothing chosen": changed(C=0.5, smoothing=0.01, bayes_share=0.5),
        "terms of two listings or more": changed(blocks=frequent),
        "words with weight 1": changed(blocks=[replace(words, weight=1.0), characters]),
        "words alone": changed(blocks=[words]),
        "characters alone": changed(blocks=[characters]),
        "title apart too": changed(blocks=[*of_title, *default.blocks]),
        "200,000 coefficients": changed(maximum_coefficients=200_000),
        VECTORS: changed(vector_share=[0.2, 0.0, 0.1, 0.3]),
    }  # fmt: skip


def test_parts(test: pd.DataFrame) -> list[pd.DataFrame]:
    """Return the test rows; if some have a description, also with the titles alone, and with descriptions alone."""
    described = test[test["description"].notna()]
    if described.empty:
        return [test]
    return [test, test.assign(description=None), described.assign(designation="")]


def measure_ours(candidate: Candidate, listings: pd.DataFrame) -> Measured:
    """Fit as the training does, and answer as the service does."""
    started = process_time()
    classifier = fit_candidates(listings, {OURS: candidate}, seed=0).classifier
    seconds, peak = process_time() - started, _peak()
    parts = test_parts(listings[listings["split"] == "test"])
    with tempfile.TemporaryDirectory() as name:
        size = export(classifier, Path(name))
        predictor = Predictor(Path(name))
        rows = list(zip(parts[0]["designation"], [text or None for text in parts[0]["description"]], strict=True))
        started = process_time()
        predictor.predict_batch(rows)
        microseconds = (process_time() - started) / len(rows) * 1e6
    answers = tuple(classifier.predict(part) for part in parts)
    return Measured(answers, seconds, peak, microseconds, size)


def export(classifier: ProductTypeClassifier, folder: Path) -> float:
    """Write a model as it is served, and return its size in MiB."""
    classifier.export(folder)
    labels = {code: str(code) for code in classifier.classes_.tolist()}
    manifest = Manifest("benchmark", "0", "", "", {}, labels, 0.5, None, False, classifier.temperature_, {}, "")
    replace(manifest, encoder=classifier.encoder_).seal(folder)
    return sum(path.stat().st_size for path in folder.iterdir()) / 2**20


def measure_peer(name: str, listings: pd.DataFrame) -> Measured:
    """Fit a peer to the train rows."""
    train, test = (listings[listings["split"] == split] for split in ("train", "test"))
    started = process_time()
    model = PEERS[name]().fit(_joined(train), train["prdtypecode"].tolist())
    seconds, peak = process_time() - started, _peak()
    parts = [_joined(part) for part in test_parts(test)]
    started = process_time()
    for first in range(0, len(parts[0]), 1_000):
        model.predict(parts[0][first : first + 1_000])
    microseconds = (process_time() - started) / len(parts[0]) * 1e6
    answers = tuple(model.predict(part) for part in parts)
    return Measured(answers, seconds, peak, microseconds, len(pickle.dumps(model)) / 2**20)


def compare(data: ListingSet, models: Sequence[str]) -> Table:
    """Return the table of all models on one set of listings."""
    ours = our_models()
    parts = test_parts(data.of("test"))
    table = Table(title=f"{data.name}; {len(parts[0]):,} test rows, {data.listings['prdtypecode'].nunique()} types")
    scores = ["weighted F1", "default minus it", "title only", "description only"]
    for column in ("model", *scores, "fit s", "peak MiB", "µs a listing", "model MiB"):
        table.add_column(column, justify="left" if column == "model" else "right")
    default: Measured | None = None
    for name in dict.fromkeys([OURS, *models]):
        # A process that is new, so that its peak of memory is that of one model.
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
            given = ours.get(name, name)
            work = measure_peer if isinstance(given, str) else measure_ours
            found = process.submit(work, given, data.listings).result()  # type: ignore[arg-type]
        default = default or found
        cells = [
            weighted_f1(part["prdtypecode"].to_numpy(), answers)
            for part, answers in zip(parts, found.answers, strict=True)
        ]
        codes, rules = parts[0]["prdtypecode"].to_numpy(), PromotionRules()
        own = paired_bootstrap(codes, np.full_like(codes, -1), found.answers[0], rules, seed=0)
        less = paired_bootstrap(codes, found.answers[0], default.answers[0], rules, seed=0)
        apart = "" if found is default else f"{less.difference:+.4f} ({less.lower:+.4f} to {less.upper:+.4f})"
        table.add_row(
            name, f"{cells[0]:.4f} ({own.lower:.3f} to {own.upper:.3f})", apart, *(f"{cell:.4f}" for cell in cells[1:]),
            *([""] * (3 - len(cells))), f"{found.fit_seconds:.1f}", f"{found.peak_mib:,.0f}",
            f"{found.microseconds:,.0f}", f"{found.size_mib:.1f}",
        )  # fmt: skip
    return table


def chosen_sets(options: argparse.Namespace) -> Iterable[ListingSet]:
    """Return the sets of listings that the options ask for."""
    if options.data:
        return of_files(options.data, options.sizes or [500, 2_000, 0])
    if options.types:
        sizes = options.sizes or [20_000]
        return (with_many_types(types, size) for size in sizes for types in options.types)
    return embedded(options.sizes or [2_000, 20_000])


def installed(models: Sequence[str], console: Console) -> list[str]:
    """Return the models whose packages are installed, and say which one is left out."""
    missing = {name: _missing_encoder() if name == VECTORS else missing_package(name) for name in models}
    for name, package in missing.items():
        if package:
            console.print(f"{name} is left out: install {package} to compare with {name}")
    return [name for name in models if not missing[name]]


def _missing_encoder() -> str | None:
    try:
        require_encoder()
    except EncoderError:
        return ENCODER
    return None


def _joined(rows: pd.DataFrame) -> list[str]:
    return [f"{title} {text or ''}" for title, text in zip(rows["designation"], rows["description"], strict=True)]


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024  # KiB on Linux


def main(arguments: list[str]) -> int:
    """Measure, and print a table for each set of listings."""
    names = [*our_models(), *PEERS]
    parser = argparse.ArgumentParser(prog="python -m benchmarks.quality", description=__doc__.split("\n")[0])
    parser.add_argument("--sizes", type=int, nargs="+", help="listings (2000 20000; with --data 500 2000 0)")
    parser.add_argument("--data", type=Path, help="folder with the challenge's files, and maybe clusters.csv")
    parser.add_argument("--types", type=int, nargs="+", help="numbers of types, of --sizes (20000) embedded listings")
    parser.add_argument("--models", nargs="+", choices=names, default=names, metavar="NAME", help="; ".join(names))
    options = parser.parse_args(arguments)
    console = Console(width=200)
    models = installed(options.models, console)
    for data in chosen_sets(options):
        console.print(compare(data, models))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
