"""The speed of the served predictor, compared with tokenising alone and with the trained estimator.

    python -m benchmarks.predictor [--size 20000] [--rounds 9]

Each round has new listings; 20,000 listings before the first round warm all contestants up. The contestants take turns,
so that changes of the machine's speed affect all of them alike. The table shows medians over the rounds, and the median
of the ratios of each round. "Tokenising alone" makes the terms that the model counts, and does nothing with them. It
caches the n-grams of each word, as the predictor caches their columns; "the same, without a cache" does not.
"""

import argparse
import sys
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from multiprocessing import get_context
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from catalog.classifier import ProductTypeClassifier

Listing = tuple[str, str | None]
Answer = Callable[[Sequence[Listing]], object]

_WARM_UP, _ROUND = 20_000, 1_000  # listings
_FEW = 10  # listings a round for the estimator, which needs tens of milliseconds for each
_BASE = "tokenising alone"


@dataclass(frozen=True)
class Memory:
    """Resident MiB of a fresh process: after the imports, after loading the predictor, after all answers."""

    imported: float
    loaded: float
    answered: float
    mapped: float  # part of the last: pages of files, which processes share and the kernel can free


def fit(size: int, unseen: int, folder: Path) -> tuple["ProductTypeClassifier", list[Listing]]:
    """Train on synthetic listings, export into a folder, and return the model with listings that it has not seen."""
    from catalog.classifier import ProductTypeClassifier
    from catalog.model_folder import Manifest
    from catalog.synthetic import generate
    from catalog.taxonomy import RAKUTEN

    frame = generate(size + unseen, seed=0)
    titles, descriptions = frame["designation"].tolist(), frame["description"].tolist()
    classifier = ProductTypeClassifier(seed=0).fit(
        titles[:size], descriptions[:size], frame["prdtypecode"].to_numpy()[:size]
    )
    classifier.export(folder)
    Manifest(
        name="benchmark", model_version="0", run_id="", data_hash="", scores={}, labels=dict(RAKUTEN.labels),
        threshold=0.5, usual_score=None, abstains_on_novelty=False,
        temperature=classifier.temperature_, parameters={}, registered_at="",
    ).seal(folder)  # fmt: skip
    return classifier, list(zip(titles[size:], descriptions[size:], strict=True))


def tokenising(classifier: "ProductTypeClassifier", *, caching: bool) -> Answer:
    """Return a function that makes the terms of listings, block by block, and nothing else."""
    from catalog.text import character_terms, normalise, with_pairs, words

    blocks = [fitted.block for fitted in classifier.fitted_blocks_]
    pieces = lru_cache(maxsize=65_536)(character_terms) if caching else character_terms

    def tokenise(listings: Sequence[Listing]) -> None:
        for listing in listings:
            title, description = (words(normalise(text), intern=False) if text else [] for text in listing)
            fields = {"title": title, "description": description, "both": title + description}
            for block in blocks:
                if block.kind == "characters":
                    for word in fields[block.field]:
                        pieces(word, block.shortest, block.longest)
                elif block.longest > 1:
                    with_pairs(fields[block.field])

    return tokenise


def one_by_one(answer: Callable[[str, str | None], object]) -> Answer:
    """Return a function that classifies listings one after another and keeps no answer, as a service does."""

    def answer_all(listings: Sequence[Listing]) -> None:
        for title, description in listings:
            answer(title, description)

    return answer_all


def memory(folder: Path, listings: Sequence[Listing]) -> Memory:
    """Load a predictor and classify listings. To be run in a fresh process."""
    import psutil

    from catalog.predictor import Predictor

    process = psutil.Process()
    resident = [process.memory_info().rss]
    predictor = Predictor(folder)
    resident.append(process.memory_info().rss)
    for listing in listings:
        predictor.predict_top_k(*listing)
    last = process.memory_info()
    return Memory(*(size / 2**20 for size in (*resident, last.rss, last.shared)))


def microseconds(answer: Answer, listings: Sequence[Listing]) -> float:
    """Return the time for one listing."""
    started = perf_counter()
    answer(listings)
    return (perf_counter() - started) / len(listings) * 1e6


def main(arguments: list[str]) -> int:
    """Measure, and print one table and the memory."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.predictor", description=__doc__.split("\n")[0])
    parser.add_argument("--size", type=int, default=20_000, help="embedded listings to train on (20000)")
    parser.add_argument("--rounds", type=int, default=9, help=f"rounds of {_ROUND:,} listings (9)")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        classifier, listings = fit(options.size, _WARM_UP + options.rounds * _ROUND, folder)
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as fresh:
            used = fresh.submit(memory, folder, listings).result()
        table = compare(classifier, folder, listings, options.rounds)
    table.title = f"Time for one listing; a model of {options.size:,} listings and {len(classifier.coef_):,} terms"
    console = Console()
    console.print(table)
    console.print(
        f"Memory of a process, MiB: {used.imported:.0f} after the imports, {used.loaded:.0f} after loading the "
        f"predictor, {used.answered:.0f} after {len(listings):,} listings ({used.mapped:.0f} of them pages of files)"
    )
    return 0


def compare(classifier: "ProductTypeClassifier", folder: Path, listings: Sequence[Listing], rounds: int) -> Table:
    """Measure the contestants in turns, on the listings of each round."""
    from catalog.predictor import Predictor

    predictor = Predictor(folder)
    estimator = "scikit-learn estimator"
    contestants: dict[str, Answer] = {
        _BASE: tokenising(classifier, caching=True),
        "the same, without a cache": tokenising(classifier, caching=False),
        "predict_top_k": one_by_one(predictor.predict_top_k),
        estimator: one_by_one(lambda title, description: classifier.predict_proba([title], [description])),
    }
    times: dict[str, list[float]] = {name: [] for name in contestants}
    for number in range(rounds + 1):
        first = _WARM_UP + (number - 1) * _ROUND if number else 0
        current = listings[first : first + _ROUND] if number else listings[:_WARM_UP]
        for name, answer in contestants.items():
            time = microseconds(answer, current[:_FEW] if name == estimator else current)
            if number:
                times[name].append(time)
    table = Table()
    for column in ("what", "microseconds", "listings/s", f"times {_BASE}"):
        table.add_column(column, justify="left" if column == "what" else "right")
    for name, measured in times.items():
        ratio = median(time / base for time, base in zip(measured, times[_BASE], strict=True))
        table.add_row(name, f"{median(measured):,.0f}", f"{1e6 / median(measured):,.0f}", f"{ratio:.2f}")
    return table


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
