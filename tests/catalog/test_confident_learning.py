"""Confident learning, on confidences that can be checked by hand."""

import numpy as np

from catalog.confident_learning import NO_ERROR, believed_types

# Thresholds, by the means of the own labels: 0.6 for type 0 (0.9, 0.8, 0.1) and 0.45 for type 1 (0.6, 0.3).
CONFIDENCE = np.array([[0.9, 0.1], [0.8, 0.2], [0.1, 0.9], [0.4, 0.6], [0.7, 0.3]])
GIVEN = np.array([0, 0, 0, 1, 1])


def test_a_label_is_doubted_where_another_type_reaches_its_own_threshold() -> None:
    assert believed_types(CONFIDENCE, GIVEN).tolist() == [NO_ERROR, NO_ERROR, 1, NO_ERROR, 0]


def test_a_type_that_the_models_are_rarely_sure_of_needs_less_confidence() -> None:
    confidence = np.array([[0.95, 0.05, 0.0], [0.95, 0.05, 0.0], [0.5, 0.45, 0.05], [0.3, 0.4, 0.3]])
    assert believed_types(confidence, np.array([0, 0, 0, 1])).tolist() == [NO_ERROR, NO_ERROR, 1, NO_ERROR]


def test_of_several_types_above_their_thresholds_the_most_confident_is_believed() -> None:
    confidence = np.array([[0.3, 0.3, 0.4], [0.4, 0.3, 0.3], [0.2, 0.38, 0.42], [0.2, 0.38, 0.42]])
    assert believed_types(confidence, np.array([0, 1, 2, 0]))[3] == 2


def test_a_type_without_a_listing_is_never_believed() -> None:
    confidence = np.array([[0.1, 0.1, 0.8], [0.2, 0.6, 0.2]])
    assert 2 not in believed_types(confidence, np.array([0, 1]))
