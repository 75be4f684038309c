"""Drift of live traffic against the reference window: column by column with Evidently, and of the texts as a whole.

With ten thousand rows the smallest difference is significant, and with three hundred a large one can be chance. So a
column drifts if its distance from the reference is both larger than a threshold (what matters) and larger than the
distance of as many rows drawn from the reference itself (the noise).
"""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, model_validator

from catalog.splits import text_key
from catalog.taxonomy import Taxonomy
from catalog.text import normalise, words
from catalog.verdict import Verdict, worst

if TYPE_CHECKING:
    from evidently import Dataset

# What is compared, and what it is called; nothing else becomes a label of a metric.
NUMERICAL = (
    "title_characters", "title_words", "title_non_letters", "description_characters", "description_words",
    "description_sentences", "description_non_letters", "confidence",
)  # fmt: skip
CATEGORICAL = ("language", "predicted_type")
COLUMNS = (*NUMERICAL, *CATEGORICAL)
_WASSERSTEIN, _JENSEN_SHANNON = "wasserstein", "jensenshannon"
_SAMPLES = 60  # drawn from the reference to learn its noise
_FOLDS = 5
_TERMS = 30_000
_TELLING_TERMS, _TELLING_ROWS = 12, 10  # shown, and the current texts that such a term must be in
# Into every page of Evidently's: it carries all it needs, and a browser is to hold it to that.
_SEALED = (
    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; script-src 'unsafe-inline' "
    "'unsafe-eval'; style-src 'unsafe-inline'; img-src data: blob:; font-src data:\">"
)


class DriftRules(BaseModel):
    """When traffic has drifted."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    minimum_rows: int = Field(200, ge=50, description="different texts below which drift is not measured")
    numerical_threshold: float = Field(0.15, gt=0, description="Wasserstein distance in standard deviations")
    categorical_threshold: float = Field(0.12, gt=0, lt=1, description="Jensen-Shannon distance")
    noise_deviations: float = Field(5.0, gt=0, description="standard deviations above the noise's mean")
    drifted_columns: int = Field(3, ge=1, description="drifted columns that make the verdict drift; fewer: warning")
    text_rows: int = Field(2_000, ge=50, description="texts of either window that the domain classifier sees")
    text_warning: float = Field(0.65, ge=0.5, le=1, description="ROC AUC of the domain classifier: warning")
    text_drift: float = Field(0.75, ge=0.5, le=1, description="ROC AUC of the domain classifier: drift")

    @model_validator(mode="after")
    def _ordered(self) -> "DriftRules":
        if self.text_drift < self.text_warning:
            raise ValueError("text_drift is below text_warning")
        return self


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True)


class ColumnDrift(_Frozen):
    """The drift of one column: its distance, the threshold, the noise, and whether the distance is above both.

    `medians` are (reference, current) of a numerical column, `shares` those of each category of a categorical one.
    """

    column: str
    method: Literal["wasserstein", "jensenshannon"]
    score: float
    threshold: float
    noise: float
    drifted: bool
    medians: tuple[float, float] | None = None
    shares: dict[str, tuple[float, float]] = {}

    @property
    def limit(self) -> float:
        """The distance above which the column drifts."""
        return max(self.threshold, self.noise)


class TextDrift(_Frozen):
    """How well a classifier tells current texts from reference texts, on texts that it did not learn from.

    `noise` is the AUC that it reaches by chance. `telling` are the terms typical of current texts, the strongest first.
    """

    auc: float
    noise: float
    rows: int
    verdict: Verdict
    telling: tuple[str, ...]


class Drift(_Frozen):
    """What was measured. With the verdict `insufficient_data` there are no columns and no text drift."""

    verdict: Verdict
    reason: str
    rows: int
    distinct_rows: int
    reference_rows: int
    columns: tuple[ColumnDrift, ...] = ()
    text: TextDrift | None = None


def measure_drift(
    current: pd.DataFrame, reference: pd.DataFrame, taxonomy: Taxonomy, rules: DriftRules, seed: int
) -> tuple[Drift, str]:
    """Return the drift, and Evidently's page if something drifted (else an empty string: the page takes 4 MB).

    Both tables have designation, description, language, predicted_code and confidence. The reference has each text
    once. So repeated texts are removed from the traffic first: otherwise every column drifts when one listing is asked
    for again and again.
    """
    distinct = _distinct(current)
    drift = Drift(
        verdict="insufficient_data",
        reason="",
        rows=len(current),
        distinct_rows=len(distinct),
        reference_rows=len(reference),
    )
    smaller = min(len(distinct), len(reference))
    if smaller < rules.minimum_rows:
        which = "in the window" if smaller == len(distinct) else "in the reference"
        wanted = f"{smaller:,} different texts {which}, and {rules.minimum_rows:,} are needed"
        return drift.model_copy(update={"reason": wanted}), ""
    columns, page = measure_columns(distinct, reference, taxonomy, rules, seed)
    text = measure_text(distinct, reference, rules, seed)
    drifted = [column.column for column in columns if column.drifted]
    verdict = worst(_columns_verdict(len(drifted), rules), text.verdict)
    told = f"{', '.join(drifted)} drifted" if drifted else "no column drifted"
    reason = (
        f"{told}; a classifier tells current texts from the reference with an AUC of {text.auc:.2f} ({text.verdict})"
    )
    measured = drift.model_copy(update={"verdict": verdict, "reason": reason, "columns": tuple(columns), "text": text})
    return measured, page if verdict != "ok" else ""


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
        behind = _behind(before[column], now[column], method)
        found.append(
            ColumnDrift(
                column=column, method=method, score=score, threshold=threshold, noise=noise,
                drifted=score > max(threshold, noise), **behind,
            )
        )  # fmt: skip
    page: str = snapshot.get_html_str(as_iframe=False)
    return found, page.replace("<head>", f"<head>{_SEALED}", 1)


def measure_text(current: pd.DataFrame, reference: pd.DataFrame, rules: DriftRules, seed: int) -> TextDrift:
    """Tell current texts from the reference's by a classifier, cross-validated (S. Rabanser, S. Günnemann and
    Z. C. Lipton, "Failing Loudly: An Empirical Study of Methods for Detecting Dataset Shift", NeurIPS 2019).

    Logistic regression over TF-IDF of words, on equally many texts of both windows. The area under its ROC curve is 0.5
    when the two cannot be told apart; by chance it deviates as the Mann-Whitney statistic does.
    """
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import roc_auc_score
    from sklearn.model_selection import StratifiedKFold, cross_val_predict

    rows = min(len(current), len(reference), rules.text_rows)
    windows = [window.sample(rows, random_state=seed) for window in (reference, current)]
    tokens = [_tokens(*listing) for window in windows for listing in _texts(window)]
    is_current = np.repeat([0, 1], rows)
    noise = 0.5 + rules.noise_deviations * float(np.sqrt((2 * rows + 1) / (12 * rows * rows)))
    vectorizer = TfidfVectorizer(analyzer=list, min_df=2, max_features=_TERMS, sublinear_tf=True, dtype=np.float32)
    try:
        matrix = vectorizer.fit_transform(tokens)
    except ValueError:  # no word is in two texts, so no word tells anything
        return TextDrift(auc=0.5, noise=noise, rows=rows, verdict="ok", telling=())
    classifier = LogisticRegression(C=1.0, solver="liblinear", random_state=seed)
    folds = StratifiedKFold(_FOLDS, shuffle=True, random_state=seed)
    scores = cross_val_predict(classifier, matrix, is_current, cv=folds, method="decision_function")
    auc = float(roc_auc_score(is_current, scores))
    telling = _telling(classifier.fit(matrix, is_current), matrix, vectorizer, rows)
    return TextDrift(auc=auc, noise=noise, rows=rows, verdict=_text_verdict(auc, noise, rules), telling=telling)


def _text_verdict(auc: float, noise: float, rules: DriftRules) -> Verdict:
    if auc > max(rules.text_drift, noise):
        return "drift"
    return "warning" if auc > max(rules.text_warning, noise) else "ok"


def _columns_verdict(drifted: int, rules: DriftRules) -> Verdict:
    return "drift" if drifted >= rules.drifted_columns else "warning" if drifted else "ok"


def _distinct(window: pd.DataFrame) -> pd.DataFrame:
    keys = pd.Series([text_key(*listing) for listing in _texts(window)], index=window.index, dtype=object)
    return window[~keys.duplicated()].reset_index(drop=True)


def _texts(window: pd.DataFrame) -> list[tuple[str, str | None]]:
    pairs = zip(window["designation"], window["description"], strict=True)
    return [(title, text if isinstance(text, str) else None) for title, text in pairs]


def _tokens(title: str, description: str | None) -> list[str]:
    return words(normalise(f"{title} {description or ''}"))


def _described(window: pd.DataFrame, taxonomy: Taxonomy) -> "Dataset":
    """Return a window as Evidently takes it, with descriptors of its texts that need no download."""
    from evidently import DataDefinition, Dataset
    from evidently.descriptors import NonLetterCharacterPercentage, SentenceCount, TextLength, WordCount

    texts = _texts(window)
    frame = pd.DataFrame(
        {
            "title": pd.Series([title for title, _ in texts], dtype=object),
            "description": pd.Series([text or None for _, text in texts], dtype=object),  # "": a division by zero there
            "confidence": window["confidence"].to_numpy(dtype=float),
            "language": window["language"].to_numpy(dtype=object),
            "predicted_type": [taxonomy.label_of(int(code)) for code in window["predicted_code"]],
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


def _behind(before: pd.Series, now: pd.Series, method: str) -> dict[str, Any]:
    if method == _WASSERSTEIN:
        return {"medians": (float(before.median()), float(now.median()))}
    counts = [values.value_counts(normalize=True) for values in (before, now)]
    categories = sorted(set(counts[0].index) | set(counts[1].index))
    return {"shares": {name: tuple(float(part.get(name, 0.0)) for part in counts) for name in categories}}


def _noise(values: pd.Series, rows: int, method: str, deviations: float, generator: np.random.Generator) -> float:
    """Return the distance that so many rows of the same kind hardly ever exceed: its mean and some deviations.

    Learned from rows drawn from the reference, which is a sample itself: of two samples, the variances add up.
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
    """Return Evidently's normed Wasserstein distance from these values, with what does not change computed once."""
    from scipy.stats import wasserstein_distance

    norm = max(float(np.std(known)), 0.001)
    return lambda sample: float(wasserstein_distance(known, sample)) / norm


def _jensen_shannon_from(known: NDArray[Any]) -> Callable[[NDArray[Any]], float]:
    """Return Evidently's Jensen-Shannon distance from these categories (numbers from 0)."""
    from scipy.spatial.distance import jensenshannon

    counts = np.bincount(known)
    return lambda sample: float(jensenshannon(counts, np.bincount(sample, minlength=len(counts))))


def _telling(classifier: Any, matrix: Any, vectorizer: Any, rows: int) -> tuple[str, ...]:
    weights: NDArray[np.float64] = classifier.coef_[0]
    in_current = np.asarray((matrix[rows:] > 0).sum(axis=0)).ravel()
    terms: Sequence[str] = vectorizer.get_feature_names_out()
    strongest = [
        column for column in np.argsort(-weights) if weights[column] > 0 and in_current[column] >= _TELLING_ROWS
    ]
    return tuple(str(terms[column]) for column in strongest[:_TELLING_TERMS])
