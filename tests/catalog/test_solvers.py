"""The two solvers of the blend, their sum, and many types."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.naive_bayes import ComplementNB

from catalog.solvers import ComplementBayes, Rows, _examples, support_vectors


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


def test_the_scores_of_a_sum_are_those_of_its_parts(rows: Rows) -> None:
    vectors, bayes = support_vectors(rows, 1, None, seed=0), ComplementBayes(rows).fit(0.1)
    expected = 0.7 * vectors.scores(rows.matrix) + 0.3 * bayes.scores(rows.matrix)
    spread = vectors.spread(rows)
    assert_allclose(vectors.scale(0.7).add(bayes.scale(0.3)).scores(rows.matrix), expected, atol=1e-5)
    assert spread == pytest.approx(support_vectors(rows, 1, None, seed=0).scale(0.5).spread(rows) * 2)


@pytest.fixture(scope="module")
def many() -> Rows:
    """Listings of 60 types: a listing has its type's term, two that it shares with the next types, and others."""
    draw = np.random.default_rng(0)
    types = np.concatenate([np.arange(60), draw.integers(0, 60, 540)])
    matrix = (draw.random((600, 80)) < 0.05) * 0.5
    for term in range(3):
        matrix[np.arange(600), (types + term) % 60] += 1 - 0.3 * term
    return Rows(sparse.csr_matrix(matrix), types)


def test_many_types_are_learned_from_a_sample_of_the_other_listings(many: Rows) -> None:
    examples = _examples(many, seed=0)
    assert sum(map(len, examples)) < 600 * 32
    for place, chosen in enumerate(examples):
        assert set(np.flatnonzero(many.types == place)) <= set(chosen)
        assert (many.types[chosen] != place).any()
    model = support_vectors(many, 1, None, seed=0)
    assert (model.scores(many.matrix).argmax(axis=1) == many.types).mean() > 0.97
    assert_array_equal(support_vectors(many, 1, None, seed=0).coefficients, model.coefficients)
