"""Drift of the texts as a whole: can a classifier tell current texts from reference texts?"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from catalog.splits import texts_of
from catalog.text import normalise, words
from catalog.verdict import Verdict
from checks.drift import DriftRules, TextDrift

_FOLDS = 5
_TERMS = 30_000
_TELLING_TERMS, _TELLING_ROWS = 12, 10  # terms that are shown, and the current texts that such a term must be in


def measure_text(current: pd.DataFrame, reference: pd.DataFrame, rules: DriftRules, seed: int) -> TextDrift:
    """Return how well a cross-validated classifier tells current texts from reference texts (S. Rabanser,
    S. Günnemann and Z. C. Lipton, "Failing Loudly: An Empirical Study of Methods for Detecting Dataset Shift",
    NeurIPS 2019).

    It is a logistic regression over TF-IDF of words, on equally many texts of both windows. The area under its ROC
    curve is 0.5 if the two cannot be told apart; by chance it deviates as the Mann-Whitney statistic does.
    """
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import roc_auc_score
    from sklearn.model_selection import StratifiedKFold, cross_val_predict

    rows = min(len(current), len(reference), rules.text_rows)
    windows = [window.sample(rows, random_state=seed) for window in (reference, current)]
    tokens = [_tokens(*listing) for window in windows for listing in texts_of(window)]
    is_current = np.repeat([0, 1], rows)
    noise = 0.5 + rules.noise_deviations * float(np.sqrt((2 * rows + 1) / (12 * rows * rows)))
    vectorizer = TfidfVectorizer(analyzer=list, min_df=2, max_features=_TERMS, sublinear_tf=True, dtype=np.float32)
    try:
        matrix = vectorizer.fit_transform(tokens)
    except ValueError:  # no word is in two texts
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


def _tokens(title: str, description: str | None) -> list[str]:
    return words(normalise(f"{title} {description or ''}"))


def _telling(classifier: Any, matrix: Any, vectorizer: Any, rows: int) -> tuple[str, ...]:
    """Return the terms that are most typical of current texts, the strongest first."""
    weights: NDArray[np.float64] = classifier.coef_[0]
    in_current = np.asarray((matrix[rows:] > 0).sum(axis=0)).ravel()
    terms: Sequence[str] = vectorizer.get_feature_names_out()
    strongest = [
        column for column in np.argsort(-weights) if weights[column] > 0 and in_current[column] >= _TELLING_ROWS
    ]
    return tuple(str(terms[column]) for column in strongest[:_TELLING_TERMS])
