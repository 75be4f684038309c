"""Ridge regression between listings is that between terms."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import sparse
from sklearn.linear_model import RidgeClassifier

from catalog.ridge import ridge
from catalog.solvers import Rows


@pytest.mark.parametrize("types", [2, 4])
def test_it_gives_the_scores_of_scikit_learn(types: int) -> None:
    draw = np.random.default_rng(0)
    matrix = sparse.csr_matrix(draw.random((40, 60)) * (draw.random((40, 60)) < 0.3))
    of_listings = np.arange(40) % types
    theirs = RidgeClassifier(alpha=0.1, solver="cholesky").fit(matrix.toarray(), of_listings)
    expected = theirs.decision_function(matrix.toarray())
    scores = ridge(Rows(matrix, of_listings)).scores(matrix)
    assert_allclose(scores if types > 2 else scores[:, 1], expected, atol=1e-4)
