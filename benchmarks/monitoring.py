"""A whole `python run.py monitor`: 10,000 predictions in the ledger against a reference window of 85,000 listings.

    python -m benchmarks.monitoring [--rows 10000] [--reference 85000] [--runs 3] [--kind normal]

A small model is trained in a state folder of its own. Its reference window is then replaced by a larger one, with other
listings of the same kind. Time and peak memory of the whole process are measured as in `benchmarks.training`.
"""

import argparse
import statistics
import sys
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table

from benchmarks.training import measure

if TYPE_CHECKING:
    import pandas as pd

_NAME = "rakuten-embedded"
_REVIEWED = 0.1  # share of the predictions with a reviewer's feedback


def main(arguments: Sequence[str]) -> int:
    """Measure, and print one table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.monitoring", description=__doc__.split("\n")[0])
    parser.add_argument("--rows", type=int, default=10_000, help="predictions in the ledger (10000)")
    parser.add_argument("--reference", type=int, default=85_000, help="listings in the reference window (85000)")
    parser.add_argument("--runs", type=int, default=3, help="measured runs (3)")
    parser.add_argument("--kind", choices=("normal", "drifted"), default="normal", help="kind of traffic (normal)")
    parser.add_argument("--prepare", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.prepare:
        _prepare(options.rows, options.reference, options.kind)
        return 0
    with tempfile.TemporaryDirectory() as folder:
        state = Path(folder)
        measure(["run.py", "--size", "5000"], state)
        measure(["-m", "benchmarks.monitoring", "--prepare", *arguments], state)
        runs = [measure(["run.py", "monitor"], state) for _ in range(options.runs)]
    table = Table(title="python run.py monitor, medians of whole processes")
    for column in ("predictions", "reference", "traffic", "seconds", "peak MiB"):
        table.add_column(column, justify="right")
    seconds, peak = (statistics.median(getattr(run, key) for run in runs) for key in ("seconds", "peak_mib"))
    table.add_row(f"{options.rows:,}", f"{options.reference:,}", options.kind, f"{seconds:.1f}", f"{peak:,.0f}")
    Console().print(table)
    return 0


def _prepare(rows: int, reference: int, kind: str) -> None:
    """Fill the ledger and the reference window of the version in production."""
    from state.folder import State

    State.chosen(None).enter()
    import mlflow

    from ledger.database import database_url, migrate, open_engine, writing
    from ledger.feedback import give_feedback
    from ledger.predictions import PredictionRecord, store_predictions
    from stacks.active import connect_tracker
    from tracking.evaluation_run import REFERENCE_FILE
    from tracking.model_files import load_classifier
    from tracking.registry import in_production

    connect_tracker()
    version = in_production(_NAME)
    classifier = load_classifier(version.source)
    window = _answered(classifier, "normal", reference, seed=1)
    window["split"] = "test"
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / REFERENCE_FILE
        window.to_parquet(path, compression="zstd", index=False)
        mlflow.MlflowClient().log_artifact(version.evaluation_run, str(path))
    now = datetime.now(UTC)
    answered: Any = _answered(classifier, kind, rows, seed=2).itertuples()
    records = [
        PredictionRecord(
            f"p{row.Index}", "user", row.designation, row.description, row.predicted_code, row.confidence, False, False,
            row.language, _NAME, version.number, now - timedelta(seconds=row.Index),
        )
        for row in answered
    ]  # fmt: skip
    migrate(database_url())
    engine = open_engine(database_url())
    with writing(engine) as connection:
        store_predictions(connection, records)
        for record in records[: int(_REVIEWED * rows)]:
            give_feedback(connection, record.id, record.predicted_code, "reviewer", "reviewer", now)
    engine.dispose()


def _answered(classifier: Any, kind: str, rows: int, seed: int) -> "pd.DataFrame":
    import pandas as pd

    from catalog.language import detect_language
    from catalog.synthetic import generate_traffic

    listings = list(islice(generate_traffic(kind, seed), rows))
    frame = pd.DataFrame(
        {
            "designation": [listing.title for listing in listings],
            "description": pd.Series([listing.description for listing in listings], dtype=object),
            "language": [detect_language(f"{listing.title} {listing.description or ''}") for listing in listings],
            "prdtypecode": [listing.code for listing in listings],
        }
    )
    probabilities = classifier.predict_proba(frame)
    return frame.assign(
        predicted_code=classifier.classes_[probabilities.argmax(axis=1)], confidence=probabilities.max(axis=1)
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
