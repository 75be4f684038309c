"""One isolated state for the whole session: ZenML, MLflow and BentoML never see the user's own."""

import functools
import gc
import importlib.metadata
import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from catalog.classifier import ProductTypeClassifier
    from catalog.predictor import Predictor
    from catalog.sentence_vectors import SentenceEncoder
    from tests.system.snapshots import Snapshot

ROOT = Path(__file__).resolve().parents[1]
# The modules that take longest, in the order in which they are started. With several workers, a long one that is
# started last would end long after all others.
_LONGEST = (
    "test_promotion", "test_main_job", "test_pages_start", "test_watch_process", "test_pages_service", "test_monitor",
    "test_pages_own_data", "test_pages_operations", "test_pages_monitoring", "test_training_errors", "test_drift",
    "test_dashboard", "test_classifier_behaviour", "test_server_away",
)  # fmt: skip
_SESSION = Path(tempfile.mkdtemp(prefix="product-types-tests-"))

# Before any test module imports a library: ZenML reads its configuration folder once a process.
os.environ["STATE_DIR"] = str(_SESSION / "state")
for _variable in ("DATABASE_URL", "MLFLOW_TRACKING_URI", "ZENML_STORE_URL", "ZENML_ACTIVE_STACK_ID", "BENTOML_CONFIG"):
    os.environ.pop(_variable, None)


def pytest_configure() -> None:
    from state.folder import State

    State.chosen(None).enter()
    # ZenML asks several times a run which package a module is of, and reads the metadata of all packages each time.
    importlib.metadata.packages_distributions = functools.cache(importlib.metadata.packages_distributions)
    gc.set_threshold(100_000, 50, 50)  # a tenth of the time goes into collections while libraries are imported
    if "PYTEST_XDIST_WORKER" in os.environ:  # ZenML would look for the file that was started, and a worker has none
        from zenml.utils.source_utils import set_custom_source_root

        set_custom_source_root(str(ROOT))


def pytest_xdist_auto_num_workers() -> int:
    """One worker more than there are cores: some tests wait for processes or for a limit to pass."""
    return (os.cpu_count() or 1) + 1


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Start the longest modules first."""
    places = {name: place for place, name in enumerate(_LONGEST)}
    items.sort(key=lambda item: places.get(item.path.stem, len(places)))


def pytest_unconfigure() -> None:
    shutil.rmtree(_SESSION, ignore_errors=True)


@pytest.fixture(scope="session")
def classifier() -> "ProductTypeClassifier":
    """A calibrated classifier of 2,000 synthetic listings, for tests that need one and do not change it."""
    from catalog.classifier import ProductTypeClassifier
    from catalog.synthetic import generate

    frame = generate(2_500, seed=11)
    train, held_out = (
        (rows["designation"].tolist(), rows["description"].tolist(), rows["prdtypecode"])
        for rows in (frame.iloc[:2_000], frame.iloc[2_000:])
    )
    return ProductTypeClassifier(seed=0).fit(*train).calibrate(*held_out)


@pytest.fixture(scope="session")
def model_folder(classifier: "ProductTypeClassifier", tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A packaged model that abstains below a confidence of 0.5. Its usual score is that of synthetic listings."""
    import numpy as np

    from catalog.model_folder import Manifest
    from catalog.synthetic import generate
    from catalog.taxonomy import RAKUTEN

    top_scores = classifier.decision_function(generate(500, seed=12)).max(axis=1)
    folder = tmp_path_factory.mktemp("model")
    classifier.export(folder)
    (folder / "card.md").write_text("# Model card: rakuten\n")
    Manifest(
        name="rakuten", model_version="7", run_id="run", data_hash="hash", scores={"weighted_f1": 0.8},
        labels=dict(RAKUTEN.labels), threshold=0.5, usual_score=float(np.quantile(top_scores, 0.02)),
        abstains_on_novelty=False, temperature=classifier.temperature_, parameters={"C": 0.2},
        registered_at="2026-01-01T00:00:00+00:00",
    ).seal(folder)  # fmt: skip
    return folder


@pytest.fixture(scope="session")
def predictor(model_folder: Path) -> "Predictor":
    from catalog.predictor import Predictor

    return Predictor(model_folder)


@pytest.fixture(scope="session")
def one_version(tmp_path_factory: pytest.TempPathFactory) -> "Snapshot":
    """The state after the first run of the main job: one version, which is in production."""
    from tests.system.snapshots import Snapshot, shared_by_workers

    return Snapshot.taken(shared_by_workers(tmp_path_factory.getbasetemp()) / "one-version", "--size", "2000")


@pytest.fixture(scope="session")
def encoder() -> "SentenceEncoder":
    """The sentence encoder; tests that need it are skipped where its package is not installed."""
    from catalog.sentence_vectors import EncoderError, shared_encoder

    try:
        return shared_encoder()
    except EncoderError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def real_listings() -> Path:
    """The folder of real product offers; tests that need it are skipped where there is none."""
    folder = Path(os.environ.get("LISTINGS_DIR", ROOT.parent / "shared" / "data" / "pricerunner"))
    if not (folder / "X_train.csv").is_file():
        pytest.skip(f"no real listings in {folder}; name their folder in LISTINGS_DIR")
    return folder
