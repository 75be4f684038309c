"""How good a classifier is: scores with intervals, slices, calibration, and what is right of what it answers."""

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict

from catalog.abstention import Abstention, choose_abstention
from catalog.novelty import NoveltyTrial
from catalog.scores import (
    Codes,
    Confusion,
    Flags,
    Floats,
    count_confusion,
    f1_by_type,
    f1_interval,
    resampled_f1,
    weighted_f1,
    weighted_mean_f1,
    wilson_interval,
)
from catalog.splits import NEAR_DUPLICATE, split_of
from catalog.taxonomy import Taxonomy

BINS = 15
_RESAMPLES = 1_000
_CONFUSIONS = 10


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True)


class TypeScores(_Frozen):
    """The scores of one type, and how many test rows it has; `f1_interval` is (lower, upper) of 95 %."""

    code: int
    label: str
    rows: int
    precision: float
    recall: float
    f1: float
    f1_interval: tuple[float, float]


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


class ConfusedPair(_Frozen):
    """How many rows of one type were predicted as another one (labels)."""

    true: str
    predicted: str
    rows: int


class Evaluation(_Frozen):
    """Everything measured on the test rows; scores are between 0 and 1, intervals are (lower, upper) of 95 %.

    `reliability` has only bins with rows. `confusion` has the pairs that occur: the place of the true type and of the
    predicted one in `per_type`, and the number of rows. `confusions` are the most frequent wrong pairs.
    `types_without_rows` are the labels of the taxonomy's types that no test row has: no figure is about them.

    `coverage` is the share of rows on which the model does not abstain (see `catalog.abstention` for `threshold`,
    `usual_score` and `on_novelty`), `selective_precision` the share of those that is right, with its interval.
    `coverage_by_share` is the coverage if the threshold were taken by the mere share of right answers on validation:
    what the promise of `target_precision` costs. `novel` is the share of rows that look like nothing the model has
    learned from; `novelty_trial` says what it is worth to know them (None: it was not tried).

    `near_duplicates` test rows are left out of all this, since they are near to a train row; with them the weighted F1
    is `weighted_f1_with_near_duplicates` (None: there are none).
    """

    rows: int
    weighted_f1: float
    weighted_f1_interval: tuple[float, float]
    macro_f1: float
    macro_f1_interval: tuple[float, float]
    accuracy: float
    expected_calibration_error: float
    target_precision: float
    threshold: float | None
    coverage: float
    coverage_by_share: float
    selective_precision: float | None
    selective_precision_interval: tuple[float, float] | None
    usual_score: float | None
    on_novelty: bool
    novel: float
    types_without_rows: tuple[str, ...]
    per_type: tuple[TypeScores, ...]
    slices: tuple[SliceScore, ...]
    reliability: tuple[ReliabilityBin, ...]
    confusion: tuple[tuple[int, int, int], ...]
    confusions: tuple[ConfusedPair, ...]
    novelty_trial: NoveltyTrial | None = None
    near_duplicates: int = 0
    weighted_f1_with_near_duplicates: float | None = None


def evaluate_window(
    window: pd.DataFrame, taxonomy: Taxonomy, target_precision: float, seed: int, trial: NoveltyTrial | None
) -> Evaluation:
    """Measure a reference window (see `catalog.reference`): abstention on validation rows, all else on test rows.

    `trial` decides whether the model abstains on novel listings; None: it does not.
    """
    validation, test = (window[window["split"] == split] for split in ("validation", "test"))
    abstention = choose_abstention(*_answers(validation), target_precision, on_novelty=trial is not None and trial.pays)
    evaluation = evaluate(
        *_answers(test), slices=slices_of(test), taxonomy=taxonomy, abstention=abstention, seed=seed
    ).model_copy(update={"novelty_trial": trial})
    near = window[window["split"] == NEAR_DUPLICATE]
    near = near[near["text_key"].map(split_of) == "test"]
    if near.empty:
        return evaluation
    both = pd.concat([test, near])
    together = weighted_f1(both["prdtypecode"].to_numpy(), both["predicted_code"].to_numpy())
    return evaluation.model_copy(update={"near_duplicates": len(near), "weighted_f1_with_near_duplicates": together})


def _answers(rows: pd.DataFrame) -> tuple[Codes, Codes, Floats, Floats]:
    """Return the true codes of some rows of a window, the predicted ones, the confidence and the top score."""
    code, predicted, confidence, top_score = (
        rows[name].to_numpy() for name in ("prdtypecode", "predicted_code", "confidence", "top_score")
    )
    return code, predicted, confidence, top_score


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
    top_scores: Floats,
    slices: dict[str, Flags],
    taxonomy: Taxonomy,
    abstention: Abstention,
    seed: int,
) -> Evaluation:
    """Measure predictions against true codes. Arrays have one entry a row; `slices` marks rows by the slice's name.

    Raises `ValueError` without rows.
    """
    if len(codes) == 0:
        raise ValueError("there are no test rows to evaluate on")
    confusion = count_confusion(codes, predicted)
    f1 = f1_by_type(codes, predicted, confusion.types)
    weighted, macro = _intervals(confusion, seed)
    correct = predicted == codes
    sure = abstention.answered(confidence, top_scores)
    per_type = _per_type(confusion, f1, taxonomy)
    tested = {scores.code for scores in per_type if scores.rows}
    bins = _reliability(correct, confidence)
    return Evaluation(
        rows=len(codes),
        weighted_f1=weighted_f1(codes, predicted),
        weighted_f1_interval=weighted,
        macro_f1=float(np.mean([scores.f1 for scores in per_type if scores.rows])),
        macro_f1_interval=macro,
        accuracy=float(correct.mean()),
        expected_calibration_error=sum(entry.rows * abs(entry.accuracy - entry.confidence) for entry in bins)
        / len(codes),
        target_precision=abstention.target_precision,
        threshold=abstention.threshold,
        coverage=float(sure.mean()),
        coverage_by_share=float(abstention.answered_by_share(confidence, top_scores).mean()),
        selective_precision=float(correct[sure].mean()) if sure.any() else None,
        selective_precision_interval=wilson_interval(float(correct[sure].mean()), float(sure.sum()))
        if sure.any()
        else None,
        usual_score=abstention.usual_score,
        on_novelty=abstention.on_novelty,
        novel=float(abstention.novel(top_scores).mean()),
        types_without_rows=tuple(label for code, label in taxonomy.labels.items() if code not in tested),
        per_type=per_type,
        slices=tuple(
            SliceScore(name=name, rows=int(part.sum()), weighted_f1=weighted_f1(codes[part], predicted[part]))
            for name, part in slices.items()
            if part.any()
        ),
        reliability=bins,
        confusion=tuple(
            zip(confusion.true.tolist(), confusion.predicted.tolist(), confusion.rows.tolist(), strict=True)
        ),
        confusions=_most_confused(confusion, taxonomy),
    )


def _intervals(confusion: Confusion, seed: int) -> tuple[tuple[float, float], tuple[float, float]]:
    """Return 95 % percentile intervals of weighted and macro F1 (Efron and Tibshirani, 1993).

    Rows with the same true and predicted type are interchangeable. So a resample is one multinomial draw over the cells
    of the confusion matrix.
    """
    counts = confusion.rows
    draws = np.random.default_rng(seed).multinomial(counts.sum(), counts / counts.sum(), size=_RESAMPLES)
    f1, rows = resampled_f1(confusion.true, confusion.predicted, draws)
    macro = np.nanmean(np.where(rows > 0, f1, np.nan), axis=1)
    (low, high), (macro_low, macro_high) = (
        np.quantile(scores, [0.025, 0.975]).tolist() for scores in (weighted_mean_f1(f1, rows), macro)
    )
    return (low, high), (macro_low, macro_high)


def _per_type(confusion: Confusion, f1: Floats, taxonomy: Taxonomy) -> tuple[TypeScores, ...]:
    count = len(confusion.types)
    is_right = confusion.true == confusion.predicted
    true, guessed, right = (
        np.bincount(places, weights=rows, minlength=count).astype(np.int64)
        for places, rows in (
            (confusion.true, confusion.rows),
            (confusion.predicted, confusion.rows),
            (confusion.true, confusion.rows * is_right),
        )
    )
    return tuple(
        TypeScores(
            code=code,
            label=taxonomy.label_of(code),
            rows=int(true[column]),
            precision=float(right[column] / max(guessed[column], 1)),
            recall=float(right[column] / max(true[column], 1)),
            f1=float(f1[column]),
            f1_interval=f1_interval(int(right[column]), int(true[column] + guessed[column] - right[column])),
        )
        for column, code in enumerate(confusion.types.tolist())
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


def _most_confused(confusion: Confusion, taxonomy: Taxonomy) -> tuple[ConfusedPair, ...]:
    wrong = np.flatnonzero(confusion.true != confusion.predicted)
    first = wrong[np.argsort(-confusion.rows[wrong], kind="stable")[:_CONFUSIONS]]
    return tuple(
        ConfusedPair(
            true=taxonomy.label_of(int(confusion.types[confusion.true[pair]])),
            predicted=taxonomy.label_of(int(confusion.types[confusion.predicted[pair]])),
            rows=int(confusion.rows[pair]),
        )
        for pair in first.tolist()
    )
