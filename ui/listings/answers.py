"""The answers to a catalogue, column by column: a hundred thousand take little memory and are quick to filter."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from threading import Lock

import pandas as pd

from ui.services.prediction import BatchItem

NUMBER, TYPE, CODE, CONFIDENCE, UNCERTAIN, NOVELTY, LANGUAGE, SECOND, ID, PROBLEM = (
    "row", "predicted_type", "predicted_code", "confidence", "uncertain", "novelty", "language", "second_type",
    "prediction_id", "problem",
)  # fmt: skip
COLUMNS = (TYPE, CODE, CONFIDENCE, UNCERTAIN, NOVELTY, LANGUAGE, SECOND, ID, PROBLEM)


@dataclass
class Answers:
    """What was answered so far, each with the number of its row. One thread adds while others read."""

    _lock: Lock = field(default_factory=Lock)
    _rows: list[int] = field(default_factory=list)
    _columns: dict[str, list[object]] = field(default_factory=lambda: {name: [] for name in COLUMNS})

    def __len__(self) -> int:
        return len(self._rows)

    def add(self, rows: Sequence[int], items: Sequence[BatchItem]) -> None:
        """Add the answers to the listings of some rows, in their order."""
        values = [_values(item) for item in items]
        with self._lock:
            self._rows.extend(rows)
            for name, column in zip(COLUMNS, zip(*values, strict=True), strict=True):
                self._columns[name].extend(column)

    def frame(self) -> pd.DataFrame:
        """Return them as a table; its index is the number of the row."""
        with self._lock:
            frame = pd.DataFrame(self._columns, index=pd.Index(self._rows, name=NUMBER, dtype="int64"))
        return frame.astype({CODE: "Int64", CONFIDENCE: "float64", UNCERTAIN: "bool", NOVELTY: "bool"})


def _values(item: BatchItem) -> tuple[object, ...]:
    prediction = item.get("prediction")
    if prediction is None:
        errors = "; ".join(error.get("message", "") for error in item.get("errors") or [])
        return "", None, None, False, False, "", "", "", errors or "?"
    second = prediction["top_k"][1]["label"] if len(prediction["top_k"]) > 1 else ""
    return (
        prediction["predicted_class"], prediction["predicted_code"], prediction["confidence"], prediction["abstained"],
        prediction.get("novelty", False), prediction["language"], second, prediction["prediction_id"], "",
    )  # fmt: skip
