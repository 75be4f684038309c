"""The service with a model that has sentence vectors, and the Bento of it."""

from collections.abc import Iterator
from pathlib import Path

import bentoml
import pytest

from bento.build import REQUIREMENTS_WITH_ENCODER, SOURCE_ROOT, build_bento
from catalog.blocks import Block
from catalog.classifier import ProductTypeClassifier
from catalog.model_folder import Manifest
from catalog.predictor import Predictor
from catalog.sentence_vectors import ENCODER, SentenceEncoder
from catalog.synthetic import generate
from catalog.taxonomy import RAKUTEN
from tests.bento.conftest import Service, running, settings_in

POOL = {"designation": "Piscine gonflable ronde", "description": "Pour l'&eacute;t&eacute;"}
SOFA = {"designation": "Canapé d'angle gris"}
FRAME = generate(300, seed=3)


@pytest.fixture(scope="module")
def classifier(encoder: SentenceEncoder) -> ProductTypeClassifier:
    columns = FRAME["designation"].tolist(), FRAME["description"].tolist(), FRAME["prdtypecode"].astype(int)
    return ProductTypeClassifier(blocks=[Block("both", "words", 1, 1)], vector_share=0.3).fit(*columns)


@pytest.fixture
def manifest(classifier: ProductTypeClassifier) -> Manifest:
    return Manifest(
        name="vectors-test", model_version="1", run_id="0123456789", data_hash="d" * 64, scores={},
        labels=dict(RAKUTEN.labels), threshold=0.5, usual_score=None, abstains_on_novelty=False,
        temperature=classifier.temperature_, parameters={},
        registered_at="2026-01-01T00:00:00+00:00", encoder=classifier.encoder_,
    )  # fmt: skip


@pytest.fixture
def service(classifier: ProductTypeClassifier, manifest: Manifest, tmp_path: Path) -> Iterator[Service]:
    folder = tmp_path / "model"
    folder.mkdir()
    classifier.export(folder)
    manifest.seal(folder)
    with running(settings_in(tmp_path), Predictor(folder)) as started:
        yield started


def test_a_batch_has_the_answers_of_single_requests(service: Service) -> None:
    user = service.as_("ulf")
    single = [service.client.post("/predict", headers=user, json=listing).json() for listing in (POOL, SOFA)]
    batch = service.client.post("/predict/batch", headers=user, json={"listings": [SOFA, POOL, SOFA]}).json()
    confidences = [item["prediction"]["confidence"] for item in batch["results"]]
    assert confidences == [single[1]["confidence"], single[0]["confidence"], single[1]["confidence"]]


def test_an_explanation_has_one_line_for_the_sentence_vector(service: Service) -> None:
    answer = service.client.post("/predict?explain=true", headers=service.as_("ulf"), json=POOL).json()
    reasons = answer["explanation"]["supporting"] + answer["explanation"]["opposing"]
    (vector,) = [reason for reason in reasons if reason["term"] == "(sentence vector)"]
    assert (vector["field"], vector["spans"]) == ("title", [])


def test_the_service_says_what_the_vectors_cost(service: Service) -> None:
    cost = service.client.get("/model-info", headers=service.as_("ulf")).json()["sentence_vectors"]
    assert cost["encoder"] == ENCODER
    assert cost["milliseconds"] > 0


def test_the_bento_requires_the_encoder(classifier: ProductTypeClassifier, manifest: Manifest) -> None:
    tag = build_bento(classifier, manifest, "# Model card", FRAME.head(20))
    try:
        required = (Path(bentoml.get(tag).path) / "src" / "requirements.txt").read_text()
    finally:
        bentoml.delete(tag)
    assert required == (SOURCE_ROOT / REQUIREMENTS_WITH_ENCODER).read_text()
