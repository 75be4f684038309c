"""The matrices of blocks, side by side."""

import numpy as np
from numpy.testing import assert_array_equal
from scipy import sparse

from catalog.features import side_by_side


def test_matrices_side_by_side_are_those_of_scipy_with_terms_in_ascending_order() -> None:
    draw = np.random.default_rng(0)
    parts = [
        sparse.csr_matrix(draw.random((5_000, width)) * (draw.random((5_000, width)) < 0.1)) for width in (7, 0, 9)
    ]
    parts[2] = (parts[2][:, ::-1]).tocsr()  # its terms are not in ascending order
    joined, expected = side_by_side(parts), sparse.hstack(parts, format="csr", dtype=np.float32)
    assert_array_equal(joined.indptr, expected.indptr)
    assert_array_equal(joined.indices, expected.indices)
    assert_array_equal(joined.data, expected.data)
    assert joined.dtype == np.float32
