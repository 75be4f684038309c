"""The trained classifier, and the model folder that it exports."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import skops.io
from numpy.testing import assert_allclose, assert_array_equal

from catalog.blocks import Block
from catalog.classifier import TRUSTED_TYPES, ProductTypeClassifier
from catalog.model_folder import Manifest
from catalog.predictor import Predictor

TITLES = [
    "Piscine gonflable ronde", "Pompe de piscine", "Bâche pour piscine", "Filtre à sable piscine",
    "Canapé d'angle gris", "Table basse en bois", "Chaise de bureau", "Canapé convertible bleu",
    "Puzzle 1000 pièces", "Jeu de société familial", "Jeu de cartes", "Puzzle en bois enfant",
] * 3  # fmt: skip
DESCRIPTIONS = [None, "<p>Pour l'&eacute;t&eacute;</p>", "", "Livraison rapide"] * 9
CODES = ([2583] * 4 + [1560] * 4 + [1281] * 4) * 3


@pytest.fixture(scope="module")
def classifier() -> ProductTypeClassifier:
    return ProductTypeClassifier(seed=0).fit(TITLES, DESCRIPTIONS, CODES).calibrate(TITLES, DESCRIPTIONS, CODES)


def manifest(classifier: ProductTypeClassifier, threshold: float | None = 0.95) -> Manifest:
    return Manifest(
        name="rakuten", model_version="3", run_id="r", data_hash="d", scores={"weighted_f1": 0.9},
        labels={1281: "Board games", 1560: "Furniture", 2583: "Pool & accessories"},
        threshold=threshold,
        usual_score=None, abstains_on_novelty=False, temperature=classifier.temperature_, parameters={},
        registered_at="2026-01-01T00:00:00+00:00",
    )  # fmt: skip


@pytest.fixture
def folder(classifier: ProductTypeClassifier, tmp_path: Path) -> Path:
    classifier.export(tmp_path)
    manifest(classifier).seal(tmp_path)
    return tmp_path


def test_the_classifier_learns_and_predicts_codes(classifier: ProductTypeClassifier) -> None:
    predicted = classifier.predict(["piscine ronde", "canapé", "puzzle"], [None, None, None])
    assert_array_equal(predicted, [2583, 1560, 1281])
    assert predicted.dtype.kind == "i"


def test_confidences_are_probabilities_and_agree_with_the_prediction(classifier: ProductTypeClassifier) -> None:
    confidence = classifier.predict_proba(TITLES, DESCRIPTIONS)
    assert_allclose(confidence.sum(axis=1), 1)
    assert_array_equal(classifier.classes_[confidence.argmax(axis=1)], classifier.predict(TITLES, DESCRIPTIONS))


def test_calibration_never_changes_the_prediction() -> None:
    classifier = ProductTypeClassifier().fit(TITLES, DESCRIPTIONS, CODES)
    before = classifier.predict(TITLES, DESCRIPTIONS)
    classifier.calibrate(TITLES, DESCRIPTIONS, CODES)
    assert classifier.temperature_ != 1
    assert_array_equal(classifier.predict(TITLES, DESCRIPTIONS), before)


def test_the_same_seed_gives_the_same_model() -> None:
    one, other = (ProductTypeClassifier(seed=7).fit(TITLES, DESCRIPTIONS, CODES) for _ in range(2))
    assert_array_equal(one.coef_, other.coef_)


def test_two_processes_give_the_same_model_as_one(
    classifier: ProductTypeClassifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("catalog.solvers._ENTRIES_FOR_PROCESSES", 0)
    divided = ProductTypeClassifier(**classifier.get_params(deep=False)).fit(TITLES, DESCRIPTIONS, CODES)
    assert_array_equal(divided.coef_, classifier.coef_)


def test_a_table_is_accepted(classifier: ProductTypeClassifier) -> None:
    table = pd.DataFrame({"designation": TITLES, "description": DESCRIPTIONS})
    assert_array_equal(classifier.predict(table), classifier.predict(TITLES, DESCRIPTIONS))


@pytest.mark.parametrize("missing", [None, float("nan"), pd.NA, ""])
def test_all_forms_of_a_missing_description_are_equal(classifier: ProductTypeClassifier, missing: object) -> None:
    given = classifier.predict_proba(["canapé"], [missing])  # type: ignore[list-item]
    assert_array_equal(given, classifier.predict_proba(["canapé"], [None]))


def test_two_types_are_enough() -> None:
    classifier = ProductTypeClassifier().fit(["piscine ronde", "canapé bleu"] * 5, [None] * 10, [1, 2] * 5)
    assert_array_equal(classifier.predict(["piscine", "canapé"], [None, None]), [1, 2])


def test_one_type_is_refused() -> None:
    with pytest.raises(ValueError, match="at least two types"):
        ProductTypeClassifier().fit(["a", "b"], [None, None], [1, 1])


def test_columns_of_different_length_are_refused() -> None:
    with pytest.raises(ValueError, match="2 titles, 1 descriptions and 2 codes"):
        ProductTypeClassifier().fit(["a", "b"], [None], [1, 2])


def test_the_logistic_solver_works() -> None:
    blocks = [Block("both", "words", 1, 1, maximum_terms=20)]
    classifier = ProductTypeClassifier(blocks=blocks, solver="logistic", alpha=1e-4, class_weight="balanced")
    classifier.fit(TITLES, DESCRIPTIONS, CODES)
    assert classifier.coef_.shape == (20, 3)
    assert (classifier.predict(TITLES, DESCRIPTIONS) == CODES).mean() > 0.8


def test_a_saved_classifier_contains_trusted_types_only(classifier: ProductTypeClassifier, tmp_path: Path) -> None:
    skops.io.dump(classifier, tmp_path / "model.skops")
    assert set(skops.io.get_untrusted_types(file=tmp_path / "model.skops")) <= set(TRUSTED_TYPES)
    again = skops.io.load(tmp_path / "model.skops", trusted=TRUSTED_TYPES)
    assert_array_equal(again.predict_proba(TITLES, DESCRIPTIONS), classifier.predict_proba(TITLES, DESCRIPTIONS))


def test_the_predictor_answers_as_the_classifier(classifier: ProductTypeClassifier, folder: Path) -> None:
    predictor = Predictor(folder)
    given = [predictor.probabilities(*listing) for listing in zip(TITLES, DESCRIPTIONS, strict=True)]
    assert_allclose(given, classifier.predict_proba(TITLES, DESCRIPTIONS), atol=1e-5)


def test_unknown_words_still_get_an_answer(classifier: ProductTypeClassifier, folder: Path) -> None:
    expected = classifier.predict_proba(["☃"], [None])[0]
    assert_allclose(Predictor(folder).probabilities("☃", None), expected, atol=1e-6)


def test_the_predictor_abstains_below_the_threshold(folder: Path) -> None:
    predictor = Predictor(folder)
    sure, unsure = predictor.predict_top_k("piscine gonflable ronde", k=2), predictor.predict_top_k("☃")
    assert (sure.code, sure.label, sure.abstained) == (2583, "Pool & accessories", False)
    assert sure.top_k[0][0] == 2583
    assert len(sure.top_k) == 2
    assert unsure.abstained


def test_the_predictor_always_abstains_without_a_threshold(classifier: ProductTypeClassifier, tmp_path: Path) -> None:
    classifier.export(tmp_path)
    manifest(classifier, threshold=None).seal(tmp_path)
    assert Predictor(tmp_path).predict_top_k("piscine gonflable ronde").abstained


def test_the_model_folder_contains_arrays_and_text_only(folder: Path) -> None:
    assert {path.suffix for path in folder.iterdir()} == {".npy", ".json", ".txt"}
    for path in folder.glob("*.npy"):
        np.load(path, allow_pickle=False)


def test_a_model_keeps_the_terms_that_say_the_most_about_types(
    classifier: ProductTypeClassifier, tmp_path: Path
) -> None:
    small = ProductTypeClassifier(maximum_coefficients=300).fit(TITLES, DESCRIPTIONS, CODES)
    assert small.coef_.shape == (100, 3)
    terms = {term for block in small.fitted_blocks_ for term in block.terms}
    assert {"piscine", "puzzle"} <= terms
    assert "livraison" not in terms  # it is in the listings of all types
    assert (small.predict(TITLES, DESCRIPTIONS) == CODES).mean() > 0.9
    small.export(tmp_path)
    manifest(small).seal(tmp_path)
    given = [Predictor(tmp_path).probabilities(*listing) for listing in zip(TITLES, DESCRIPTIONS, strict=True)]
    assert_allclose(given, small.predict_proba(TITLES, DESCRIPTIONS), atol=1e-5)
