"""Drift of single columns, measured by Evidently, and how much of it can be noise."""

import html
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from catalog.splits import texts_of
from catalog.taxonomy import Taxonomy
from checks.drift import ColumnDrift, DriftRules

if TYPE_CHECKING:
    from evidently import Dataset

# The columns that are compared. Only these names become labels of metrics.
NUMERICAL = (
    "title_characters", "title_words", "title_non_letters", "description_characters", "description_words",
    "description_sentences", "description_non_letters", "confidence",
)  # fmt: skip
CATEGORICAL = ("language", "predicted_type")
COLUMNS = (*NUMERICAL, *CATEGORICAL)
_WASSERSTEIN, _JENSEN_SHANNON = "wasserstein", "jensenshannon"
_SAMPLES = 60  # drawn from the reference to learn its noise
# Added to every page of Evidently's. The page carries all it needs, and this makes a browser load nothing else.
_SEALED = (
    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; script-src 'unsafe-inline' "
    "'unsafe-eval'; style-src 'unsafe-inline'; img-src data: blob:; font-src data:\">"
)


def measure_columns(
    current: pd.DataFrame, reference: pd.DataFrame, taxonomy: Taxonomy, rules: DriftRules, seed: int
) -> tuple[list[ColumnDrift], str]:
    """Return the drift of each of the `COLUMNS`, and Evidently's page."""
    from evidently import Report
    from evidently.metrics import ValueDrift

    methods = dict.fromkeys(NUMERICAL, (_WASSERSTEIN, rules.numerical_threshold))
    methods |= dict.fromkeys(CATEGORICAL, (_JENSEN_SHANNON, rules.categorical_threshold))
    datasets = [_described(window, taxonomy) for window in (current, reference)]
    asked = [
        ValueDrift(column=column, method=method, threshold=threshold) for column, (method, threshold) in methods.items()
    ]
    snapshot = Report(asked, include_tests=False).run(*datasets)
    scores = {metric["config"]["column"]: float(metric["value"]) for metric in snapshot.dict()["metrics"]}
    now, before = (dataset.as_dataframe() for dataset in datasets)
    generator = np.random.default_rng(seed)
    found = []
    for column, (method, threshold) in methods.items():
        noise = _noise(before[column], len(current), method, rules.noise_deviations, generator)
        score = scores[column]
        explanation = _explanation(before[column], now[column], method)
        if "shares" in explanation:
            explanation["shares"] = {html.unescape(name): both for name, both in explanation["shares"].items()}
        found.append(
            ColumnDrift(
                column=column, method=method, score=score, threshold=threshold, noise=noise,
                drifted=score > max(threshold, noise), **explanation,
            )
        )  # fmt: skip
    page: str = snapshot.get_html_str(as_iframe=False)
    return found, page.replace("<head>", f"<head>{_SEALED}", 1)


def _described(window: pd.DataFrame, taxonomy: Taxonomy) -> "Dataset":
    """Return a window as a data set of Evidently, with descriptors of its texts that need no download."""
    from evidently import DataDefinition, Dataset
    from evidently.descriptors import NonLetterCharacterPercentage, SentenceCount, TextLength, WordCount

    texts = texts_of(window)
    frame = pd.DataFrame(
        {
            "title": pd.Series([title for title, _ in texts], dtype=object),
            "description": pd.Series([text or None for _, text in texts], dtype=object),  # "": a division by zero there
            "confidence": window["confidence"].to_numpy(dtype=float),
            "language": window["language"].to_numpy(dtype=object),
            # Evidently writes categories into its page as they are.
            "predicted_type": [html.escape(taxonomy.label_of(int(code))) for code in window["predicted_code"]],
        }
    )
    return Dataset.from_pandas(
        frame,
        data_definition=DataDefinition(
            text_columns=["title", "description"],
            numerical_columns=["confidence"],
            categorical_columns=list(CATEGORICAL),
        ),
        descriptors=[
            TextLength("title", alias="title_characters"),
            WordCount("title", alias="title_words"),
            NonLetterCharacterPercentage("title", alias="title_non_letters"),
            TextLength("description", alias="description_characters"),
            WordCount("description", alias="description_words"),
            SentenceCount("description", alias="description_sentences"),
            NonLetterCharacterPercentage("description", alias="description_non_letters"),
        ],
    )


def _explanation(before: pd.Series, now: pd.Series, method: str) -> dict[str, Any]:
    """Return the values that explain a distance: both medians, or the shares of each category."""
    if method == _WASSERSTEIN:
        return {"medians": (float(before.median()), float(now.median()))}
    counts = [values.value_counts(normalize=True) for values in (before, now)]
    categories = sorted(set(counts[0].index) | set(counts[1].index))
    return {"shares": {name: tuple(float(part.get(name, 0.0)) for part in counts) for name in categories}}


def _noise(values: pd.Series, rows: int, method: str, deviations: float, generator: np.random.Generator) -> float:
    """Return the distance that so many rows of the same kind hardly ever exceed: the mean and some deviations.

    It is learned from rows drawn from the reference. The reference is a sample too, so the variances of both add up.
    """
    size = max(1, round(rows * len(values) / (rows + len(values))))
    distance: Callable[[NDArray[Any]], float]
    if method == _WASSERSTEIN:
        known = np.sort(values.to_numpy(dtype=float))
        distance = _wasserstein_from(known)
    else:
        known = np.unique(values.to_numpy(dtype=str), return_inverse=True)[1]
        distance = _jensen_shannon_from(known)
    distances = [distance(known[generator.integers(len(known), size=size)]) for _ in range(_SAMPLES)]
    return float(np.mean(distances) + deviations * np.std(distances))


def _wasserstein_from(known: NDArray[Any]) -> Callable[[NDArray[Any]], float]:
    """Return Evidently's normed Wasserstein distance from these values, with the constant parts computed once."""
    from scipy.stats import wasserstein_distance

    norm = max(float(np.std(known)), 0.001)
    return lambda sample: float(wasserstein_distance(known, sample)) / norm


def _jensen_shannon_from(known: NDArray[Any]) -> Callable[[NDArray[Any]], float]:
    """Return Evidently's Jensen-Shannon distance from these categories (numbers from 0)."""
    from scipy.spatial.distance import jensenshannon

    counts = np.bincount(known)
    return lambda sample: float(jensenshannon(counts, np.bincount(sample, minlength=len(counts))))
