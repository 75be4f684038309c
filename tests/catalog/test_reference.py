"""The reference window: the held-out listings with the model's answers, which live traffic is compared with."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from catalog.classifier import ProductTypeClassifier
from catalog.consolidation import ConsolidationRules, consolidate
from catalog.reference import build_reference_window
from catalog.synthetic import generate
from catalog.taxonomy import RAKUTEN
from checks.drift import DriftRules
from checks.drift_measurement import measure_drift
from ledger.feedback import COLUMNS


@dataclass(frozen=True)
class Built:
    """A window, with the listings and the model that it was built from."""

    listings: pd.DataFrame
    classifier: ProductTypeClassifier
    window: pd.DataFrame


@pytest.fixture(scope="module")
def built(classifier: ProductTypeClassifier) -> Built:
    no_feedback = pd.DataFrame(columns=COLUMNS)
    listings = consolidate(generate(8_000, seed=3), no_feedback, RAKUTEN.labels, ConsolidationRules()).listings
    return Built(listings, classifier, build_reference_window(listings, classifier))


def test_it_holds_exactly_the_rows_that_no_model_learns_from(built: Built) -> None:
    held_out = built.listings[built.listings["split"] != "train"]
    assert_array_equal(built.window["text_key"], held_out["text_key"])
    assert set(built.window["split"]) == {"validation", "test", "near_duplicate"}
    assert_array_equal(built.window.index, range(len(held_out)))


def test_it_has_the_columns_that_later_steps_read(built: Built) -> None:
    assert set(built.window.columns) == {
        "text_key", "designation", "description", "language", "origin", "prediction_id", "given_at", "sampled", "split",
        "prdtypecode", "predicted_code", "confidence", "top_score",
    }  # fmt: skip


def test_its_answers_are_those_of_the_model(built: Built) -> None:
    assert_array_equal(built.window["predicted_code"], built.classifier.predict(built.window))
    assert_allclose(built.window["confidence"], built.classifier.predict_proba(built.window).max(axis=1))
    assert (built.window["predicted_code"] == built.window["prdtypecode"]).mean() > 0.5


def test_halves_of_it_do_not_drift_apart(built: Built) -> None:
    drift, page = measure_drift(built.window.iloc[::2], built.window.iloc[1::2], RAKUTEN, DriftRules(), seed=0)
    assert drift.verdict == "ok", drift.reason
    assert drift.reference_rows == len(built.window) // 2
    assert page == ""


def test_other_traffic_drifts_from_it(built: Built) -> None:
    other = built.window.assign(language="de", predicted_code=2583, confidence=built.window["confidence"] / 2)
    drift, page = measure_drift(other, built.window, RAKUTEN, DriftRules(), seed=0)
    drifted = {column.column for column in drift.columns if column.drifted}
    assert drift.verdict == "drift"
    assert drifted == {"language", "predicted_type", "confidence"}
    assert np.isfinite([column.score for column in drift.columns]).all()
    assert page
