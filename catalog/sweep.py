"""A blend of two solvers, with its settings chosen on validation listings.

A setting may have several values, of which the first is the default. Another one takes its place only if it is right on
more validation listings, and the gain is larger than twice its standard error. So a validation split that is too small
to tell them apart changes nothing.
"""

import logging
import math
import time
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from catalog.ridge import MAXIMUM_LISTINGS, ridge
from catalog.solvers import ClassWeight, ComplementBayes, Linear, Rows, support_vectors

logger = logging.getLogger(__name__)

# Values of C are compared on so many listings first. It is a bound in listings and not in seconds, since the same
# listings must give the same model on every machine.
_SHARE, _FEWEST, _MOST = 1 / 32, 500, 4_000

_ERRORS = 2  # standard errors that a gain must exceed; with one, 60 validation listings choose by chance

Key = TypeVar("Key", bound=Hashable)
Right = NDArray[np.bool_]  # whether the answer to each listing is right


@dataclass(frozen=True)
class Choices:
    """The values to try of each setting, the default first."""

    strengths: Sequence[float]
    smoothings: Sequence[float]
    shares: Sequence[float]


@dataclass(frozen=True)
class Blend:
    """A support vector machine with `strength`, mixed with a `share` of complement naive Bayes with `smoothing`."""

    model: Linear
    strength: float
    smoothing: float
    share: float


def fit_blend(train: Rows, validation: Rows | None, choices: Choices, class_weight: ClassWeight, seed: int) -> Blend:
    """Fit both solvers to all listings and mix them, with the values that are best on validation.

    Without validation they are the defaults. A solver that has no share in any mix is not fitted. Few listings are
    fitted by ridge regression in the place of the support vector machine: it is better there, and as fast.
    """
    strength, smoothing, share = choices.strengths[0], choices.smoothings[0], choices.shares[0]
    if validation is None:
        choices = Choices([strength], [smoothing], [share])
    vectors: Linear | None = None
    if min(choices.shares) < 1:
        if len(train.types) <= MAXIMUM_LISTINGS and class_weight is None:
            logger.info("%s listings: ridge regression, in which C has no effect", f"{len(train.types):,}")
            vectors = ridge(train)
        else:
            if validation is not None:
                strength = choose_strength(train, validation, choices.strengths, class_weight, seed)
            vectors = support_vectors(train, strength, class_weight, seed)
        if max(choices.shares) == 0:
            return Blend(vectors, strength, smoothing, share)
    spread = vectors.spread(train) if vectors else 1.0
    counted = ComplementBayes(train)

    def bayes(value: float) -> Linear:
        fitted = counted.fit(value)
        return fitted.scale(spread / (fitted.spread(train) or 1.0))  # so that a share means the same everywhere

    if validation is not None:
        smoothing, share = _choose_mix(validation, vectors, bayes, choices)
    model = bayes(smoothing)
    if vectors is not None:
        model = model.scale(share).add(vectors.scale(1 - share))
    return Blend(model, strength, smoothing, share)


def choose_strength(
    train: Rows, validation: Rows, strengths: Sequence[float], class_weight: ClassWeight, seed: int
) -> float:
    """Return the `C` that is best on validation, by successive halving: all values are compared on a few listings, the
    better half on twice as many, and so on. The default stays to the end.

    K. Jamieson and A. Talwalkar, "Non-stochastic Best Arm Identification and Hyperparameter Optimization", 2016.
    """
    listings = len(train.types)
    order = np.random.default_rng(seed).permutation(listings)
    size = min(max(int(listings * _SHARE), _FEWEST), _MOST, listings)
    left = list(strengths)
    while len(left) > 1:
        rows = train.chosen(order[:size])
        known, types = np.unique(rows.types, return_inverse=True)
        if len(known) < 2:
            break
        rows, started = Rows(rows.matrix, types), time.monotonic()
        right: dict[float, Right] = {}
        for value in left:
            answers = support_vectors(rows, value, class_weight, seed).scores(validation.matrix).argmax(axis=1)
            right[value] = known[answers] == validation.types
            if len(right) == 1:
                values, seconds = ", ".join(map(str, left)), (time.monotonic() - started) * len(left)
                logger.info("Trying C %s on %s listings, about %.1f s", values, f"{size:,}", seconds)
        if len(left) == 2 or size == listings:
            return best_beyond_chance(right)
        others = sorted(left[1:], key=lambda value: -int(right[value].sum()))
        left = [left[0], *others[: max(len(left) // 2 - 1, 1)]]
        size = min(2 * size, listings)
    return strengths[0]


def best_beyond_chance(right: Mapping[Key, Right]) -> Key:
    """Return the key that is right most often; the first one if the gain over it is not larger than twice its error.

    Of two keys that are equally good, each is right on half of the listings on which they differ, and the error is that
    of a fair coin (Q. McNemar, "Note on the Sampling Error of the Difference between Correlated Proportions or
    Percentages", 1947).
    """
    default = next(iter(right))
    best = max(right, key=lambda key: int(right[key].sum()))  # the first of equals
    gain = int(right[best].sum()) - int(right[default].sum())
    return best if gain > _ERRORS * math.sqrt(int((right[best] ^ right[default]).sum())) else default


def _choose_mix(
    validation: Rows, vectors: Linear | None, bayes: Callable[[float], Linear], choices: Choices
) -> tuple[float, float]:
    """Return the smoothing and the share that are best on validation."""
    of_vectors = vectors.scores(validation.matrix) if vectors else 0
    right: dict[tuple[float, float], Right] = {}
    for smoothing in choices.smoothings:
        of_bayes = bayes(smoothing).scores(validation.matrix)
        for share in choices.shares:
            answers = ((1 - share) * of_vectors + share * of_bayes).argmax(axis=1)
            right[smoothing, share] = answers == validation.types
    return best_beyond_chance(right)
