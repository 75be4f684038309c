"""The reference window is one that Evidently can measure drift against."""

import numpy as np
import pandas as pd
import pytest

from catalog.language import detect_language
from catalog.synthetic import generate

COLUMNS = ["language", "predicted_code", "confidence"]


@pytest.fixture(scope="module")
def window() -> pd.DataFrame:
    frame = generate(6_000)
    texts = frame["designation"] + " " + frame["description"].fillna("")
    return pd.DataFrame(
        {
            "designation": frame["designation"],
            "language": texts.map(detect_language),
            "predicted_code": frame["prdtypecode"].astype("str"),
            "confidence": np.random.default_rng(0).beta(5, 2, len(frame)),
        }
    )


def drifted_columns(current: pd.DataFrame, reference: pd.DataFrame) -> float:
    from evidently import DataDefinition, Dataset, Report
    from evidently.presets import DataDriftPreset

    columns = DataDefinition(categorical_columns=["language", "predicted_code"], numerical_columns=["confidence"])
    sets = [Dataset.from_pandas(part[COLUMNS], data_definition=columns) for part in (current, reference)]
    metrics = Report([DataDriftPreset()]).run(*sets).dict()["metrics"]
    count: float = next(metric["value"]["count"] for metric in metrics if "DriftedColumns" in metric["metric_name"])
    return count


def test_halves_of_the_same_traffic_do_not_drift(window: pd.DataFrame) -> None:
    assert drifted_columns(window.iloc[::2], window.iloc[1::2]) == 0


def test_other_traffic_does(window: pd.DataFrame) -> None:
    other = window.assign(language="de", confidence=window["confidence"] / 2, predicted_code="2583")
    assert drifted_columns(other, window) == 3
