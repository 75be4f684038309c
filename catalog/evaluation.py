"""How good a classifier is: scores with intervals, slices, calibration, and when it should rather abstain."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from catalog.comparison import f1_by_type, weighted_f1

Codes = NDArray[np.int64]
Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
BINS = 15
_RESAMPLES = 1_000
_CONFUSIONS = 10


@dataclass(frozen=True)
class Evaluation:
    """Everything measured on the test rows; scores are between 0 and 1, intervals are (lower, upper) of 95 %.

    `per_type` has code, label, rows, precision, recall, f1; `slices` name, rows, weighted_f1; `reliability` the bins
    that hold rows: lower, upper, rows, confidence, accuracy; `confusion` counts (true x predicted, in the order of
    `per_type`). `coverage` is the share of rows at or above the threshold, `selective_precision` how many of those are
    right.
    """

    rows: int
    weighted_f1: float
    weighted_f1_interval: tuple[float, float]
    macro_f1: float
    macro_f1_interval: tuple[float, float]
    accuracy: float
    expected_calibration_error: float
    threshold: float | None
    coverage: float
    selective_precision: float | None
    per_type: list[dict[str, Any]]
    slices: list[dict[str, Any]]
    reliability: list[dict[str, float]]
    confusion: list[list[int]]
    confusions: list[dict[str, Any]]

    def as_dict(self) -> dict[str, Any]:
        """Return the measurements as JSON-able values."""
        return asdict(self)


def evaluate(
    codes: Codes,
    predicted: Codes,
    confidence: Floats,
    languages: NDArray[np.object_],
    has_description: Flags,
    labels: Mapping[int, str],
    threshold: float | None,
    seed: int,
) -> Evaluation:
    """Measure predictions against true codes; all arrays have one entry a row. Raises `ValueError` without rows."""
    if len(codes) == 0:
        raise ValueError("there are no test rows to evaluate on")
    types = np.union1d(codes, predicted)
    confusion = np.zeros((len(types), len(types)), dtype=np.int64)
    np.add.at(confusion, (np.searchsorted(types, codes), np.searchsorted(types, predicted)), 1)
    true, guessed, right = confusion.sum(axis=1), confusion.sum(axis=0), np.diag(confusion)
    f1 = f1_by_type(codes, predicted, types)
    weighted, macro = _intervals(confusion, seed)
    correct = predicted == codes
    sure = confidence >= threshold if threshold is not None else np.zeros(len(codes), dtype=bool)
    bins = _reliability(correct, confidence)
    return Evaluation(
        rows=len(codes),
        weighted_f1=weighted_f1(codes, predicted),
        weighted_f1_interval=weighted,
        macro_f1=float(f1[true > 0].mean()),
        macro_f1_interval=macro,
        accuracy=float(correct.mean()),
        expected_calibration_error=sum(entry["rows"] * abs(entry["accuracy"] - entry["confidence"]) for entry in bins)
        / len(codes),
        threshold=threshold,
        coverage=float(sure.mean()),
        selective_precision=float(correct[sure].mean()) if sure.any() else None,
        per_type=[
            {
                "code": int(code),
                "label": labels.get(int(code), str(code)),
                "rows": int(true[column]),
                "precision": float(right[column] / max(guessed[column], 1)),
                "recall": float(right[column] / max(true[column], 1)),
                "f1": float(f1[column]),
            }
            for column, code in enumerate(types)
        ],
        slices=_slices(codes, predicted, languages, has_description),
        reliability=bins,
        confusion=confusion.tolist(),
        confusions=_most_confused(confusion, types, labels),
    )


def abstention_threshold(
    codes: Codes, predicted: Codes, confidence: Floats, target_precision: float = 0.95, minimum_rows: int = 50
) -> float | None:
    """Return the lowest confidence at or above which at least the target share of rows is right; None: out of reach.

    Rows of equal confidence stand or fall together. Fewer than `minimum_rows` rows are no evidence.
    """
    order = np.argsort(-confidence, kind="stable")
    sorted_confidence = confidence[order]
    precision = np.cumsum(predicted[order] == codes[order]) / np.arange(1, len(codes) + 1)
    last_of_equals = np.append(sorted_confidence[:-1] != sorted_confidence[1:], True)
    enough = np.arange(1, len(codes) + 1) >= minimum_rows
    reached = np.flatnonzero(last_of_equals & enough & (precision >= target_precision))
    return float(sorted_confidence[reached[-1]]) if len(reached) else None


def _intervals(confusion: NDArray[np.int64], seed: int) -> tuple[tuple[float, float], tuple[float, float]]:
    """Return 95 % percentile intervals of weighted and macro F1 (Efron and Tibshirani, 1993).

    Rows with the same true and predicted type are interchangeable, so a resample is one multinomial draw over the cells
    of the confusion matrix.
    """
    cells = np.nonzero(confusion)
    counts = confusion[cells]
    draws = np.random.default_rng(seed).multinomial(counts.sum(), counts / counts.sum(), size=_RESAMPLES)
    types = np.arange(len(confusion))
    true, guessed = draws @ (cells[0][:, np.newaxis] == types), draws @ (cells[1][:, np.newaxis] == types)
    right = draws @ ((cells[0][:, np.newaxis] == types) & (cells[0] == cells[1])[:, np.newaxis])
    f1 = 2 * right / np.maximum(true + guessed, 1)
    weighted = (f1 * true).sum(axis=1) / true.sum(axis=1)
    macro = np.nanmean(np.where(true > 0, f1, np.nan), axis=1)
    bounds = [np.quantile(scores, [0.025, 0.975]).tolist() for scores in (weighted, macro)]
    return (bounds[0][0], bounds[0][1]), (bounds[1][0], bounds[1][1])


def _reliability(correct: Flags, confidence: Floats) -> list[dict[str, float]]:
    """Return the filled ones of 15 bins of equal width (Guo et al., 2017; cited in classifier.py)."""
    numbers = np.minimum((confidence * BINS).astype(int), BINS - 1)
    return [
        {
            "lower": number / BINS,
            "upper": (number + 1) / BINS,
            "rows": int((numbers == number).sum()),
            "confidence": float(confidence[numbers == number].mean()),
            "accuracy": float(correct[numbers == number].mean()),
        }
        for number in np.unique(numbers)
    ]


def _slices(
    codes: Codes, predicted: Codes, languages: NDArray[np.object_], has_description: Flags
) -> list[dict[str, Any]]:
    parts = {f"language {language}": languages == language for language in sorted(set(languages.tolist()))}
    parts |= {"with description": has_description, "without description": ~has_description}
    return [
        {"name": name, "rows": int(part.sum()), "weighted_f1": weighted_f1(codes[part], predicted[part])}
        for name, part in parts.items()
        if part.any()
    ]


def _most_confused(confusion: NDArray[np.int64], types: Codes, labels: Mapping[int, str]) -> list[dict[str, Any]]:
    wrong = confusion * (1 - np.eye(len(types), dtype=np.int64))
    cells = np.argsort(-wrong, axis=None, kind="stable")[:_CONFUSIONS]
    return [
        {
            "true": labels.get(int(types[row]), str(types[row])),
            "predicted": labels.get(int(types[column]), str(types[column])),
            "rows": int(wrong[row, column]),
        }
        for row, column in zip(*np.unravel_index(cells, wrong.shape), strict=True)
        if wrong[row, column]
    ]
