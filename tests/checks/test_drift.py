"""Drift is found where there is some, and hardly ever where there is none."""

import html
from itertools import islice

import numpy as np
import pandas as pd
import pytest

from catalog.language import detect_language
from catalog.split_key import text_key
from catalog.synthetic import generate_traffic
from catalog.taxonomy import RAKUTEN
from checks import column_drift
from checks.column_drift import COLUMNS, measure_columns
from checks.drift import Drift, DriftRules
from checks.drift_measurement import measure_drift
from checks.text_drift import measure_text

RULES = DriftRules()


def answered(kind: str, size: int, seed: int) -> pd.DataFrame:
    """Traffic with stand-ins for a model's answers: its true types, and a confidence that shorter titles raise."""
    listings = list(islice(generate_traffic(kind, seed), size))
    noise = np.random.default_rng(seed).normal(0, 0.1, size)
    sure = np.clip([1.1 - len(listing.title) / 120 for listing in listings] + noise, 0.05, 1.0)
    return pd.DataFrame(
        {
            "designation": [listing.title for listing in listings],
            "description": pd.Series([listing.description for listing in listings], dtype=object),
            "language": [detect_language(f"{one.title} {one.description or ''}") for one in listings],
            "predicted_code": [listing.code for listing in listings],
            "confidence": sure,
        }
    )


@pytest.fixture(scope="module")
def reference() -> pd.DataFrame:
    window = answered("normal", 4_000, 1_000)
    keys = [text_key(*listing) for listing in zip(window["designation"], window["description"], strict=True)]
    return window[~pd.Series(keys).duplicated()].reset_index(drop=True)


def measured(current: pd.DataFrame, reference: pd.DataFrame) -> tuple[Drift, str]:
    return measure_drift(current, reference, RAKUTEN, RULES, 0)


@pytest.mark.parametrize(("size", "seed"), [(300, 1), (300, 2), (300, 3), (1_000, 4), (1_000, 5), (10_000, 6)])
def test_traffic_of_the_same_kind_is_ok(size: int, seed: int, reference: pd.DataFrame) -> None:
    found, page = measured(answered("normal", size, seed), reference)
    assert found.verdict == "ok", found.reason
    assert page == ""
    assert [column.column for column in found.columns] == list(COLUMNS)


@pytest.mark.parametrize(
    "label", ["</script><script>alert(1)</script>", "<img src=x onerror=alert(1)>", "A & <b>B</b>"]
)
def test_labels_are_no_markup_in_evidentlys_page_and_stay_as_they_are_in_ours(
    label: str, reference: pd.DataFrame
) -> None:
    taxonomy = RAKUTEN.model_copy(update={"labels": RAKUTEN.labels | {2583: label}})
    columns, page = measure_columns(answered("normal", 300, 1), reference.head(600), taxonomy, RULES, 0)
    assert label not in page
    assert html.escape(label) in page
    (of_types,) = (column.shares for column in columns if column.column == "predicted_type")
    assert of_types is not None
    assert label in of_types


@pytest.mark.parametrize("size", [300, 1_000, 10_000])
def test_drifted_traffic_is_drift(size: int, reference: pd.DataFrame) -> None:
    found, page = measured(answered("drifted", size, 1), reference)
    assert found.verdict == "drift", found.reason
    assert {column.column for column in found.columns if column.drifted} >= {"language", "description_words"}
    assert "Content-Security-Policy" in page[:1_000]


def test_other_languages_are_noticed(reference: pd.DataFrame) -> None:
    found, _ = measured(answered("multilingual", 600, 1), reference)
    assert found.verdict in ("warning", "drift")
    [language] = [column for column in found.columns if column.column == "language"]
    assert language.drifted
    assert language.shares["de"][1] > language.shares["de"][0] + 0.1


def test_words_that_nobody_used_before_are_found_by_the_classifier_alone(reference: pd.DataFrame) -> None:
    current = answered("normal", 1_000, 7)
    current["designation"] = current["designation"] + " edition zorbal"
    found = measure_text(current, reference, RULES, 0)
    assert (found.verdict, found.telling[0] in ("edition", "zorbal")) == ("drift", True)


@pytest.mark.parametrize("rows", [0, 1, 150])
def test_a_tiny_window_is_insufficient(rows: int, reference: pd.DataFrame) -> None:
    found, page = measured(answered("normal", 200, 8).head(rows), reference)
    assert (found.verdict, found.rows, found.columns, found.text, page) == ("insufficient_data", rows, (), None, "")


def test_one_listing_asked_for_again_and_again_is_insufficient(reference: pd.DataFrame) -> None:
    found, _ = measured(answered("normal", 200, 8).head(1).loc[[0] * 2_000], reference)
    assert (found.verdict, found.rows, found.distinct_rows) == ("insufficient_data", 2_000, 1)


def test_a_reference_that_is_too_small_is_insufficient(reference: pd.DataFrame) -> None:
    found, _ = measured(answered("normal", 300, 8), reference.head(50))
    assert found.verdict == "insufficient_data"
    assert "in the reference" in found.reason


def test_repetitions_are_no_drift(reference: pd.DataFrame) -> None:
    current = answered("normal", 500, 9)
    repeated = pd.concat([current, current.head(1).loc[[0] * 3_000]], ignore_index=True)
    assert measured(repeated, reference)[0].verdict == "ok"


def test_constant_columns_and_empty_descriptions_are_no_error(reference: pd.DataFrame) -> None:
    current = answered("normal", 300, 10).assign(
        language="fr", confidence=1.0, predicted_code=2583, description=pd.Series(["", None] * 150, dtype=object)
    )
    assert measured(current, reference)[0].verdict == "drift"


def test_the_noise_is_measured_with_evidentlys_own_distances(reference: pd.DataFrame) -> None:
    current = answered("multilingual", 500, 11)
    columns, _ = measure_columns(current, reference, RAKUTEN, RULES, 0)
    score = {column.column: column.score for column in columns}
    known = np.sort(reference["confidence"].to_numpy())
    assert column_drift._wasserstein_from(known)(current["confidence"].to_numpy()) == pytest.approx(score["confidence"])
    names = sorted({*reference["language"], *current["language"]})
    numbers = [part["language"].map(names.index).to_numpy() for part in (reference, current)]
    assert column_drift._jensen_shannon_from(numbers[0])(numbers[1]) == pytest.approx(score["language"])


def test_rules_that_contradict_themselves_are_refused() -> None:
    with pytest.raises(ValueError, match="text_drift is below text_warning"):
        DriftRules(text_warning=0.8, text_drift=0.7)
