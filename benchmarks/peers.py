"""What a user writes in ten lines of scikit-learn, to compare the default model with."""

from collections.abc import Callable, Sequence
from typing import Any, Self

import numpy as np
from scipy import sparse
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.decomposition import TruncatedSVD
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import SGDClassifier
from sklearn.naive_bayes import ComplementNB
from sklearn.pipeline import FeatureUnion, Pipeline
from sklearn.svm import LinearSVC


class NaiveBayesSVM(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """NB-SVM: of each type, a support vector machine on terms that are scaled by their log-count ratio.

    S. Wang and C. Manning, "Baselines and Bigrams: Simple, Good Sentiment and Topic Classification", 2012.
    """

    def fit(self, matrix: sparse.csr_matrix, types: Sequence[int]) -> Self:
        """Fit one machine a type."""
        self.classes_, places = np.unique(types, return_inverse=True)
        coefficients, self.intercepts_ = [], []
        for place in range(len(self.classes_)):
            own = places == place
            for_it, against = (np.asarray(matrix[rows].sum(axis=0)).ravel() + 1 for rows in (own, ~own))
            ratio = np.log((for_it / for_it.sum()) / (against / against.sum()))
            machine = LinearSVC(random_state=0).fit(matrix @ sparse.diags(ratio), own)
            coefficients.append(machine.coef_[0] * ratio)
            self.intercepts_.append(machine.intercept_[0])
        self.coefficients_ = np.vstack(coefficients).T
        return self

    def predict(self, matrix: sparse.csr_matrix) -> Any:
        """Return the type of each row."""
        return self.classes_[(matrix @ self.coefficients_ + np.array(self.intercepts_)).argmax(axis=1)]


def _words_and_characters() -> FeatureUnion:
    words = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True)
    characters = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), sublinear_tf=True)
    return FeatureUnion([("words", words), ("characters", characters)])


def _on(*steps: BaseEstimator) -> Callable[[], Pipeline]:
    return lambda: Pipeline([(type(step).__name__, step) for step in (_words_and_characters(), *steps)])


# They are fitted to title and description, joined. fastText is not among them: its package is archived, and its forks
# are not in the lock file.
PEERS: dict[str, Callable[[], Pipeline]] = {
    "LinearSVC": _on(LinearSVC(random_state=0)),
    "NB-SVM": _on(NaiveBayesSVM()),
    "ComplementNB": _on(ComplementNB()),
    "ComplementNB, smoothing 0.1": _on(ComplementNB(alpha=0.1)),
    "SGD": _on(SGDClassifier(alpha=1e-5, random_state=0)),
    "SVD and HistGradientBoosting": _on(
        TruncatedSVD(100, random_state=0), HistGradientBoostingClassifier(random_state=0)
    ),
}
