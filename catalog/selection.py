"""Which terms a model keeps when it may not keep all: those that say the most about types."""

import numpy as np
from numpy.typing import NDArray

from catalog.solvers import Rows, counts_of_types


def most_informative(rows: Rows, limit: int) -> NDArray[np.intp]:
    """Return the columns of the `limit` terms that say the most about types, in ascending order.

    That is how far a term's weights in the listings of the types are from those of a term that occurs in all types
    alike: the log-likelihood ratio (T. Dunning, "Accurate Methods for the Statistics of Surprise and Coincidence",
    1993). A frequent term says more than a rare one that is as typical.
    """
    counts = counts_of_types(rows)
    of_term = np.asarray(counts.sum(axis=1)).ravel()
    share_of_type = np.asarray(counts.sum(axis=0)).ravel() / of_term.sum()
    term = np.repeat(np.arange(len(of_term)), np.diff(counts.indptr))
    ratios = counts.data * np.log(counts.data / (of_term[term] * share_of_type[counts.indices]))
    information = np.bincount(term, ratios, minlength=len(of_term))
    return np.sort(np.argsort(-information, kind="stable")[:limit])
