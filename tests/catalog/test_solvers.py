"""The two solvers of the blend, and the mix of them."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.naive_bayes import ComplementNB

from catalog.solvers import ComplementBayes, Rows, mix, support_vectors


@pytest.fixture(scope="module")
def rows() -> Rows:
    draw = np.random.default_rng(0)
    types = draw.integers(0, 3, 60)
    matrix = draw.random((60, 12)) * (draw.random((60, 12)) < 0.4) + np.eye(3, 12)[types]
    return Rows(sparse.csr_matrix(matrix), types)


@pytest.mark.parametrize("smoothing", [0.01, 1.0])
def test_complement_bayes_gives_the_answers_and_confidences_of_scikit_learn(rows: Rows, smoothing: float) -> None:
    theirs = ComplementNB(alpha=smoothing).fit(rows.matrix, rows.types)
    ours = ComplementBayes(rows).fit(smoothing).scores(rows.matrix)
    likelihood = np.exp(ours) / np.exp(ours).sum(axis=1, keepdims=True)
    assert_allclose(likelihood, theirs.predict_proba(rows.matrix), atol=1e-5)


def test_a_term_of_complement_bayes_speaks_for_some_types_and_against_others(rows: Rows) -> None:
    coefficients = ComplementBayes(rows).fit(0.1).coefficients
    assert_allclose(coefficients.mean(axis=1), 0, atol=1e-6)


def test_the_scores_of_a_mix_are_those_of_its_parts(rows: Rows) -> None:
    vectors, bayes = support_vectors(rows, 1, None, seed=0), ComplementBayes(rows).fit(0.1)
    expected = 0.7 * vectors.scores(rows.matrix) + 0.3 * bayes.scores(rows.matrix)
    assert_allclose(mix(vectors, bayes, 0.3).scores(rows.matrix), expected, atol=1e-5)


def test_a_scaled_model_gives_the_same_answers_with_another_spread(rows: Rows) -> None:
    vectors = support_vectors(rows, 1, None, seed=0)
    scaled = vectors.scaled(4)
    assert scaled.spread(rows) == pytest.approx(4 * vectors.spread(rows))
    assert_array_equal(scaled.scores(rows.matrix).argmax(axis=1), vectors.scores(rows.matrix).argmax(axis=1))
