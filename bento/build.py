"""Build the Bento of a trained model, and check that it gives the answers of the trained model.

This module is not part of the Bento, and it imports no code of the service.
"""

import filecmp
import shutil
import tempfile
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from catalog.classifier import ProductTypeClassifier
    from catalog.model_folder import Manifest

SOURCE_ROOT = Path(__file__).resolve().parents[1]

# The pinned and hashed requirements of the service, written by `make lock`.
REQUIREMENTS = "requirements/serving.txt"
REQUIREMENTS_WITH_ENCODER = "requirements/serving-embeddings.txt"  # of a model with sentence vectors
_REQUIRED, _MODEL = "requirements.txt", "model"  # in the Bento
# The source files of the service. The whole ledger is included, since its migrations run when the service starts.
SERVING_CODE = (
    "bento/**/*.py",
    "web/**/*.py",
    "web/common_passwords.txt",
    "ledger/**/*",
    "state/__init__.py",
    "state/private.py",
    "catalog/__init__.py",
    "catalog/blocks.py",
    "catalog/contract.py",
    "catalog/garbage.py",
    "catalog/language.py",
    "catalog/listing_size.py",
    "catalog/model_folder.py",
    "catalog/predictor.py",
    "catalog/sentence_vectors.py",
    "catalog/spans.py",
    "catalog/term_table.py",
    "catalog/term_weights.py",
    "catalog/text.py",
    "catalog/vocabulary.py",
)
NOT_SERVED = {"bento/build.py"}
PARITY_LISTINGS = 500
PARITY_TOLERANCE = 1e-4  # of a probability; float32 sums in another order differ by about 1e-6


class ParityError(RuntimeError):
    """The packaged model does not give the answers of the trained model."""


def build_bento(classifier: "ProductTypeClassifier", manifest: "Manifest", card: str, sample: pd.DataFrame) -> str:
    """Build a Bento into this machine's store, verify it, and return its tag.

    An earlier run may have died after it had built the Bento. Then that one is taken up, if it is what would be built
    now; otherwise it is replaced.

    Args:
        classifier: the trained classifier.
        manifest: the manifest of the model folder.
        card: the model card (Markdown).
        sample: listings for which the Bento must give the answers of the classifier.

    Raises:
        ParityError: an answer differs; the Bento is deleted.
        EncoderError: the model has sentence vectors and their encoder is not installed; the Bento is deleted.
    """
    import bentoml
    from bentoml.exceptions import NotFound

    from catalog.sentence_vectors import EncoderError

    # The run's id makes the tag unique where two registries share one Bento store.
    version = f"{manifest.model_version}-{manifest.run_id[:8]}"
    tag = f"{manifest.name}:{version}"
    with tempfile.TemporaryDirectory(prefix="bento-") as folder:
        context = Path(folder)
        _write_sources(context, classifier, manifest, card)
        source = _built_before(tag, context)
        if source is None:
            with suppress(NotFound):
                bentoml.delete(tag)
            built = bentoml.build(
                "bento.service:ProductTypes",
                name=manifest.name,
                version=version,
                labels={"model_version": manifest.model_version, "data_hash": manifest.data_hash[:16]},
                python={"requirements_txt": _REQUIRED, "lock_packages": False},
                build_ctx=folder,
            )
            source = Path(built.path) / "src"
    try:
        check_parity(classifier, source / _MODEL, sample)
    except (ParityError, EncoderError):
        bentoml.delete(tag)
        raise
    return tag


def _write_sources(context: Path, classifier: "ProductTypeClassifier", manifest: "Manifest", card: str) -> None:
    """Write what the Bento is built from: the files of the service, its requirements, and the model folder."""
    from catalog.model_folder import CARD

    for name in serving_files():
        copy = context / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(SOURCE_ROOT / name, copy)
    model = context / _MODEL
    model.mkdir()
    classifier.export(model)
    (model / CARD).write_text(card, encoding="utf-8")
    manifest.seal(model)
    required = REQUIREMENTS_WITH_ENCODER if manifest.encoder else REQUIREMENTS
    shutil.copyfile(SOURCE_ROOT / required, context / _REQUIRED)


def _built_before(tag: str, context: Path) -> Path | None:
    """Return the sources of the Bento with this tag, if they are undamaged and those that it would be built from now.

    The manifests may differ in the time at which the model was registered.
    """
    import bentoml
    from bentoml.exceptions import BentoMLException

    from catalog.model_folder import Manifest, ModelFolderError

    try:
        found = bentoml.get(tag)
        source = Path(found.path) / "src"
        kept, wanted = Manifest.verified(source / _MODEL), Manifest.verified(context / _MODEL)
    except (BentoMLException, ModelFolderError, OSError, ValueError):  # there is none, or it is not whole
        return None
    if str(found.tag) != tag or replace(kept, registered_at=wanted.registered_at) != wanted:
        return None
    names = [*serving_files(), _REQUIRED]  # the manifest has the digests of the model
    _, changed, missing = filecmp.cmpfiles(context, source, names, shallow=False)
    return None if changed or missing else source


def export_bento(tag: str, path: Path) -> None:
    """Write a Bento of this machine's store to `path`, as a tar archive for `bentoml.import_bento`."""
    import bentoml

    bentoml.export_bento(tag, str(path), output_format="tar")


def serving_files(root: Path = SOURCE_ROOT) -> list[str]:
    """Return the source files of the service (relative to the source root, sorted)."""
    found = (path.relative_to(root) for pattern in SERVING_CODE for path in root.glob(pattern) if path.is_file())
    names = (path.as_posix() for path in found if not any(part.startswith(("__pycache__", ".")) for part in path.parts))
    return sorted(name for name in names if name not in NOT_SERVED)


def check_parity(classifier: "ProductTypeClassifier", model_folder: Path, sample: pd.DataFrame) -> None:
    """Compare the confidences of the packaged and the trained model on every listing of the sample, type by type.

    Raises `ParityError` when one differs by more than the tolerance.
    """
    from catalog.predictor import Predictor

    predictor = Predictor(model_folder)
    expected = classifier.predict_proba(sample)
    for number, (title, description) in enumerate(zip(sample["designation"], sample["description"], strict=True)):
        given = predictor.probabilities(title, description if isinstance(description, str) else None)
        difference = float(np.abs(given - expected[number]).max())
        if difference > PARITY_TOLERANCE or given.argmax() != expected[number].argmax():
            raise ParityError(
                f"the answers of the packaged and the trained model differ: by {difference:.2g} in a confidence (at "
                f"most {PARITY_TOLERANCE:.0g} is allowed), for the listing {title[:80]!r}"
            )
