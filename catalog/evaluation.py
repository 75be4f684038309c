"""How good a classifier is: scores with intervals, slices, calibration, and from which confidence it may answer."""

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict

from catalog.scores import (
    Codes,
    Counts,
    Flags,
    Floats,
    confusion_counts,
    f1_by_type,
    resampled_f1,
    weighted_f1,
    weighted_mean_f1,
)
from catalog.taxonomy import Taxonomy

BINS = 15
_RESAMPLES = 1_000
_CONFUSIONS = 10


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True)


class TypeScores(_Frozen):
    """The scores of one type, and how many test rows it has."""

    code: int
    label: str
    rows: int
    precision: float
    recall: float
    f1: float


class SliceScore(_Frozen):
    """The weighted F1 on a part of the test rows, such as one language."""

    name: str
    rows: int
    weighted_f1: float


class ReliabilityBin(_Frozen):
    """The rows with a confidence from `lower` to `upper`: their mean confidence, and the share that is right."""

    lower: float
    upper: float
    rows: int
    confidence: float
    accuracy: float


class Confusion(_Frozen):
    """How many rows of one type were predicted as another one (labels)."""

    true: str
    predicted: str
    rows: int


class Evaluation(_Frozen):
    """Everything measured on the test rows; scores are between 0 and 1, intervals are (lower, upper) of 95 %.

    `reliability` has only bins with rows. `confusion` counts rows (true x predicted, in the order of `per_type`).
    `confusions` are the most frequent wrong pairs. `coverage` is the share of rows with a confidence of at least
    `threshold`, `selective_precision` the share of those that is right.
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
    per_type: tuple[TypeScores, ...]
    slices: tuple[SliceScore, ...]
    reliability: tuple[ReliabilityBin, ...]
    confusion: tuple[tuple[int, ...], ...]
    confusions: tuple[Confusion, ...]


def evaluate_window(window: pd.DataFrame, taxonomy: Taxonomy, target_precision: float, seed: int) -> Evaluation:
    """Measure a reference window (see `catalog.reference`): the threshold on validation rows, all else on test rows."""
    validation, test = (window[window["split"] == split] for split in ("validation", "test"))
    threshold = abstention_threshold(
        validation["prdtypecode"].to_numpy(),
        validation["predicted_code"].to_numpy(),
        validation["confidence"].to_numpy(),
        target_precision,
    )
    return evaluate(
        codes=test["prdtypecode"].to_numpy(),
        predicted=test["predicted_code"].to_numpy(),
        confidence=test["confidence"].to_numpy(),
        slices=slices_of(test),
        taxonomy=taxonomy,
        threshold=threshold,
        seed=seed,
    )


def slices_of(rows: pd.DataFrame) -> dict[str, Flags]:
    """Return the parts of a table that are scored on their own: each language, with and without a description."""
    languages = rows["language"].to_numpy(dtype=object)
    described = rows["description"].notna().to_numpy()
    parts: dict[str, Flags] = {f"language {name}": languages == name for name in sorted(set(languages.tolist()))}
    return parts | {"with description": described, "without description": ~described}


def evaluate(
    codes: Codes,
    predicted: Codes,
    confidence: Floats,
    slices: dict[str, Flags],
    taxonomy: Taxonomy,
    threshold: float | None,
    seed: int,
) -> Evaluation:
    """Measure predictions against true codes. Arrays have one entry a row; `slices` marks rows by the slice's name.

    Raises `ValueError` without rows.
    """
    if len(codes) == 0:
        raise ValueError("there are no test rows to evaluate on")
    types, confusion = confusion_counts(codes, predicted)
    f1 = f1_by_type(codes, predicted, types)
    weighted, macro = _intervals(confusion, seed)
    correct = predicted == codes
    sure = confidence >= threshold if threshold is not None else np.zeros(len(codes), dtype=bool)
    bins = _reliability(correct, confidence)
    return Evaluation(
        rows=len(codes),
        weighted_f1=weighted_f1(codes, predicted),
        weighted_f1_interval=weighted,
        macro_f1=float(f1[confusion.sum(axis=1) > 0].mean()),
        macro_f1_interval=macro,
        accuracy=float(correct.mean()),
        expected_calibration_error=sum(entry.rows * abs(entry.accuracy - entry.confidence) for entry in bins)
        / len(codes),
        threshold=threshold,
        coverage=float(sure.mean()),
        selective_precision=float(correct[sure].mean()) if sure.any() else None,
        per_type=_per_type(types, confusion, f1, taxonomy),
        slices=tuple(
            SliceScore(name=name, rows=int(part.sum()), weighted_f1=weighted_f1(codes[part], predicted[part]))
            for name, part in slices.items()
            if part.any()
        ),
        reliability=bins,
        confusion=tuple(map(tuple, confusion.tolist())),
        confusions=_most_confused(types, confusion, taxonomy),
    )


def abstention_threshold(
    codes: Codes, predicted: Codes, confidence: Floats, target_precision: float = 0.95, minimum_rows: int = 50
) -> float | None:
    """Return the lowest confidence from which on at least the target share of rows is right, or None if none is.

    Rows with equal confidence are taken together. A threshold with fewer than `minimum_rows` rows above it is not used.
    """
    order = np.argsort(-confidence, kind="stable")
    sorted_confidence = confidence[order]
    precision = np.cumsum(predicted[order] == codes[order]) / np.arange(1, len(codes) + 1)
    last_of_equals = np.append(sorted_confidence[:-1] != sorted_confidence[1:], True)
    enough = np.arange(1, len(codes) + 1) >= minimum_rows
    reached = np.flatnonzero(last_of_equals & enough & (precision >= target_precision))
    return float(sorted_confidence[reached[-1]]) if len(reached) else None


def _intervals(confusion: Counts, seed: int) -> tuple[tuple[float, float], tuple[float, float]]:
    """Return 95 % percentile intervals of weighted and macro F1 (Efron and Tibshirani, 1993).

    Rows with the same true and predicted type are interchangeable. So a resample is one multinomial draw over the cells
    of the confusion matrix.
    """
    true, predicted = np.nonzero(confusion)
    counts = confusion[true, predicted]
    draws = np.random.default_rng(seed).multinomial(counts.sum(), counts / counts.sum(), size=_RESAMPLES)
    f1, rows = resampled_f1(true, predicted, draws)
    macro = np.nanmean(np.where(rows > 0, f1, np.nan), axis=1)
    (low, high), (macro_low, macro_high) = (
        np.quantile(scores, [0.025, 0.975]).tolist() for scores in (weighted_mean_f1(f1, rows), macro)
    )
    return (low, high), (macro_low, macro_high)


def _per_type(types: Codes, confusion: Counts, f1: Floats, taxonomy: Taxonomy) -> tuple[TypeScores, ...]:
    true, guessed, right = confusion.sum(axis=1), confusion.sum(axis=0), np.diag(confusion)
    return tuple(
        TypeScores(
            code=code,
            label=taxonomy.label_of(code),
            rows=int(true[column]),
            precision=float(right[column] / max(guessed[column], 1)),
            recall=float(right[column] / max(true[column], 1)),
            f1=float(f1[column]),
        )
        for column, code in enumerate(types.tolist())
    )


def _reliability(correct: Flags, confidence: Floats) -> tuple[ReliabilityBin, ...]:
    """Return those of 15 bins of equal width that hold rows (Guo et al., 2017; cited in classifier.py)."""
    numbers = np.minimum((confidence * BINS).astype(int), BINS - 1)
    return tuple(
        ReliabilityBin(
            lower=number / BINS,
            upper=(number + 1) / BINS,
            rows=int((numbers == number).sum()),
            confidence=float(confidence[numbers == number].mean()),
            accuracy=float(correct[numbers == number].mean()),
        )
        for number in np.unique(numbers).tolist()
    )


def _most_confused(types: Codes, confusion: Counts, taxonomy: Taxonomy) -> tuple[Confusion, ...]:
    wrong = confusion.copy()
    np.fill_diagonal(wrong, 0)
    cells = np.argsort(-wrong, axis=None, kind="stable")[:_CONFUSIONS]
    return tuple(
        Confusion(
            true=taxonomy.label_of(int(types[row])),
            predicted=taxonomy.label_of(int(types[column])),
            rows=int(wrong[row, column]),
        )
        for row, column in zip(*np.unravel_index(cells, wrong.shape), strict=True)
        if wrong[row, column]
    )
