"""What a user writes in ten lines of scikit-learn or fastText, to compare the default model with."""

import re
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol, Self

import numpy as np
from scipy import sparse
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.decomposition import TruncatedSVD
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import RidgeClassifier, SGDClassifier
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


class FastText:
    """fastText's supervised model: words, pairs of words, and characters within words.

    A. Joulin et al., "Bag of Tricks for Efficient Text Classification", 2017. It runs in one thread: with more, the
    same listings never give the same model twice. fastText is not in the lock file.
    """

    _LABEL = "__label__"

    def fit(self, texts: Sequence[str], types: Sequence[int]) -> Self:
        """Fit it to a file with a listing a line."""
        with _file() as file:
            lines = (f"{self._LABEL}{code} {_line(text)}\n" for text, code in zip(texts, types, strict=True))
            file.write_text("".join(lines), encoding="utf-8")
            self.model_ = import_module("fasttext").train_supervised(
                input=str(file), lr=1.0, epoch=100, wordNgrams=2, minn=2, maxn=5, thread=1, seed=0, verbose=0
            )
        return self

    def predict(self, texts: Sequence[str]) -> Any:
        """Return the type of each text."""
        labels, _ = self.model_.predict([_line(text) for text in texts])
        return np.array([int(label.removeprefix(self._LABEL)) for (label,) in labels])

    def __getstate__(self) -> bytes:
        with _file() as file:
            self.model_.save_model(str(file))
            return file.read_bytes()

    def __setstate__(self, model: bytes) -> None:
        with _file() as file:
            file.write_bytes(model)
            self.model_ = import_module("fasttext").load_model(str(file))


class Peer(Protocol):
    """A model that learns from texts and answers texts. It can be pickled, which gives its size."""

    def fit(self, texts: Sequence[str], types: Sequence[int]) -> Self:
        """Learn from texts and the type of each."""

    def predict(self, texts: Sequence[str]) -> Any:
        """Return the type of each text."""


def missing_package(name: str) -> str | None:
    """Return the package that a peer needs and that is not installed."""
    return "fasttext-community" if name == FAST_TEXT and find_spec("fasttext") is None else None


def _line(text: str) -> str:
    return " ".join(re.findall(r"\w+", text.lower()))


@contextmanager
def _file() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder) / "file"


def _words_and_characters() -> FeatureUnion:
    words = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True)
    characters = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), sublinear_tf=True)
    return FeatureUnion([("words", words), ("characters", characters)])


def _on(*steps: BaseEstimator) -> Callable[[], Pipeline]:
    return lambda: Pipeline([(type(step).__name__, step) for step in (_words_and_characters(), *steps)])


FAST_TEXT = "fastText"

# They are fitted to title and description, joined.
PEERS: dict[str, Callable[[], Peer]] = {
    "LinearSVC": _on(LinearSVC(random_state=0)),
    "NB-SVM": _on(NaiveBayesSVM()),
    "ComplementNB": _on(ComplementNB()),
    "ComplementNB, smoothing 0.1": _on(ComplementNB(alpha=0.1)),
    "SGD": _on(SGDClassifier(alpha=1e-5, random_state=0)),
    "ridge": _on(RidgeClassifier()),
    "SVD and HistGradientBoosting": _on(
        TruncatedSVD(100, random_state=0), HistGradientBoostingClassifier(random_state=0)
    ),
    FAST_TEXT: FastText,
}
