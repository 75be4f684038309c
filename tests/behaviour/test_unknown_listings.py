"""A model recognises listings of types that it was not trained on, far more often than it takes known ones for such."""

import numpy as np
import pandas as pd
import pytest

from catalog.abstention import Abstention, choose_abstention
from catalog.classifier import ProductTypeClassifier
from catalog.model_folder import Manifest
from catalog.predictor import Classification, Predictor
from catalog.synthetic import generate

UNKNOWN = (2583, 2462, 60)  # pools, video games, consoles


@pytest.fixture(scope="module")
def predictor(tmp_path_factory: pytest.TempPathFactory) -> Predictor:
    frame = generate(6_000, seed=5)
    known = frame[~frame["prdtypecode"].isin(UNKNOWN)]
    train, validation = known.iloc[:4_000], known.iloc[4_000:]
    model = ProductTypeClassifier(seed=0).fit(
        train["designation"].tolist(), train["description"].tolist(), train["prdtypecode"]
    )
    scores = model.decision_function(validation)
    codes = validation["prdtypecode"].to_numpy()
    model.calibrate_scores(scores, codes)
    abstention = _abstention(model, scores, codes)
    folder = tmp_path_factory.mktemp("model")
    model.export(folder)
    Manifest(
        name="some-types", model_version="1", run_id="r", data_hash="d", scores={},
        labels={code: str(code) for code in model.classes_.tolist()}, threshold=abstention.threshold,
        usual_score=abstention.usual_score, abstains_on_novelty=True, temperature=model.temperature_, parameters={},
        registered_at="2026-01-01T00:00:00+00:00",
    ).seal(folder)  # fmt: skip
    return Predictor(folder)


@pytest.fixture(scope="module")
def unseen() -> pd.DataFrame:
    return generate(3_000, seed=6)


def _abstention(model: ProductTypeClassifier, scores: np.ndarray, codes: np.ndarray) -> Abstention:
    predicted, confidence = model.classes_[scores.argmax(axis=1)], model.confidences(scores).max(axis=1)
    return choose_abstention(codes, predicted, confidence, scores.max(axis=1), 0.9, on_novelty=True)


def answers(predictor: Predictor, rows: pd.DataFrame) -> list[Classification]:
    descriptions = [text if isinstance(text, str) else None for text in rows["description"]]
    return predictor.predict_batch(list(zip(rows["designation"], descriptions, strict=True)))


def novel_share(found: list[Classification]) -> float:
    return float(np.mean([answer.novelty for answer in found]))


def test_known_types_are_novel_in_two_of_a_hundred_listings_and_unknown_ones_far_more_often(
    predictor: Predictor, unseen: pd.DataFrame
) -> None:
    is_unknown = unseen["prdtypecode"].isin(UNKNOWN)
    of_known = novel_share(answers(predictor, unseen[~is_unknown]))
    of_unknown = novel_share(answers(predictor, unseen[is_unknown]))
    assert of_known == pytest.approx(0.02, abs=0.015)
    assert of_unknown > 4 * of_known


def test_words_of_another_world_are_novel_and_the_model_abstains(predictor: Predictor) -> None:
    (found,) = answers(predictor, pd.DataFrame([{"designation": "zzxq wvvk qqjx", "description": None}]))
    assert found.novelty
    assert found.abstained
