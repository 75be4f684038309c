"""Build the Bento of a promoted challenger and make sure that it answers as the trained model does."""

import shutil
import tempfile
from collections.abc import Iterable
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
import pandas as pd
from zenml import ArtifactConfig, log_metadata, step
from zenml.types import MarkdownString

from steps.caching import SOURCE_ROOT
from steps.materializers import BentoMaterializer, PackagedBento

if TYPE_CHECKING:
    from catalog.classifier import ProductTypeClassifier
    from catalog.predictor import Manifest

# What the service imports, by name; all that these need in turn is found by `locked_requirements`.
SERVING_PACKAGES = (
    "bentoml",
    "fastapi",
    "fastapi-offline",
    "python-multipart",
    "httpx",
    "numpy",
    "pydantic",
    "pydantic-settings",
    "prometheus-client",
    "psutil",
    "pyjwt[crypto]",
    "pwdlib[argon2]",
    "sqlalchemy",
    "alembic",
    "psycopg[binary]",
    "uvicorn",
    "uvloop",
    "httptools",
)
# The whole ledger: its migrations run where the service starts.
SERVING_CODE = (
    "bento/**/*.py",
    "ledger/**/*",
    "catalog/__init__.py",
    "catalog/contract.py",
    "catalog/language.py",
    "catalog/predictor.py",
    "catalog/text.py",
)
PARITY_LISTINGS = 500
PARITY_TOLERANCE = 1e-4  # of a probability; float32 sums in another order differ by some 1e-6


class ParityError(RuntimeError):
    """The packaged model does not answer as the trained one."""


@step(enable_cache=False, experiment_tracker=True, output_materializers=BentoMaterializer)
def package_bento(
    listings: pd.DataFrame,
    trained_classifier: dict[str, Any],
    evaluation: dict[str, Any],
    decision: dict[str, Any],
    model_card: MarkdownString,
    labels: dict[int, str],
    model_name: str,
) -> Annotated[PackagedBento, ArtifactConfig(name="bento", tags=["model", "serving"])]:
    """Package the challenger when it is to be promoted; otherwise name the Bento in production."""
    from steps import registry

    if not decision["promoted"]:
        champion = registry.by_alias(model_name, registry.PRODUCTION)
        return PackagedBento(champion.tags.get("bento_tag"), champion.number) if champion else PackagedBento(None, None)

    from catalog.predictor import Manifest

    classifier = registry.load_classifier(trained_classifier["model_uri"])
    manifest = Manifest(
        name=model_name,
        model_version=decision["challenger_version"],
        run_id=trained_classifier["run_id"],
        data_hash=trained_classifier["data_hash"],
        scores={key: evaluation[key] for key in ("weighted_f1", "macro_f1", "expected_calibration_error")},
        labels=labels,
        threshold=evaluation["threshold"],
        temperature=classifier.temperature_,
        parameters=trained_classifier["parameters"],
        registered_at=datetime.now(UTC).isoformat(timespec="seconds"),
    )
    sample = listings.sample(n=min(len(listings), PARITY_LISTINGS), random_state=0)
    packaged = build_bento(classifier, manifest, model_card, sample)
    log_metadata(
        metadata={"bento_tag": packaged.tag or "", "parity_listings": len(sample)},
        artifact_name="bento",
        infer_artifact=True,
    )
    return packaged


def build_bento(
    classifier: "ProductTypeClassifier", manifest: "Manifest", card: str, sample: pd.DataFrame
) -> PackagedBento:
    """Build a Bento into this machine's store and verify it.

    Args:
        classifier: the trained classifier.
        manifest: what the model folder is sealed with.
        card: the model card (Markdown).
        sample: listings that the built Bento must answer as the classifier does.

    Raises:
        ParityError: an answer differs; the Bento is deleted again.
    """
    import bentoml

    from catalog.predictor import CARD

    with tempfile.TemporaryDirectory(prefix="bento-") as context:
        for name in serving_files():
            copy = Path(context) / name
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(SOURCE_ROOT / name, copy)
        model = Path(context) / "model"
        model.mkdir()
        classifier.export(model)
        (model / CARD).write_text(card, encoding="utf-8")
        manifest.seal(model)
        bento = bentoml.build(
            "bento.service:ProductTypes",
            name=manifest.name,
            # The run's id makes the tag unique where two registries share one Bento store.
            version=f"{manifest.model_version}-{manifest.run_id[:8]}",
            labels={"model_version": manifest.model_version, "data_hash": manifest.data_hash[:16]},
            python={"packages": locked_requirements(SERVING_PACKAGES), "lock_packages": False},
            build_ctx=context,
        )
    try:
        check_parity(classifier, Path(bento.path) / "src" / "model", sample)
    except ParityError:
        bentoml.delete(bento.tag)
        raise
    tag = str(bento.tag)
    return PackagedBento(tag, manifest.model_version, lambda path: _export(tag, path))


def _export(tag: str, path: Path) -> None:
    import bentoml

    bentoml.export_bento(tag, str(path), output_format="tar")


def serving_files(root: Path = SOURCE_ROOT) -> list[str]:
    """Return the source files of the service (relative to the source root, sorted)."""
    found = (path.relative_to(root) for pattern in SERVING_CODE for path in root.glob(pattern) if path.is_file())
    return sorted(
        path.as_posix() for path in found if not any(part.startswith(("__pycache__", ".")) for part in path.parts)
    )


def check_parity(classifier: "ProductTypeClassifier", model_folder: Path, sample: pd.DataFrame) -> None:
    """Compare the packaged model's confidence with the trained one's on every listing of the sample, type by type."""
    from catalog.predictor import Predictor

    predictor = Predictor(model_folder)
    expected = classifier.predict_proba(sample)
    for number, (title, description) in enumerate(zip(sample["designation"], sample["description"], strict=True)):
        given = predictor.probabilities(title, description if isinstance(description, str) else None)
        difference = float(np.abs(given - expected[number]).max())
        if difference > PARITY_TOLERANCE or given.argmax() != expected[number].argmax():
            raise ParityError(
                f"the packaged model answers otherwise than the trained one: a confidence differs by {difference:.2g} "
                f"(at most {PARITY_TOLERANCE:.0g} is allowed) on the listing {title[:80]!r}"
            )


def locked_requirements(packages: Iterable[str]) -> list[str]:
    """Return these packages and all they need, pinned to the locked versions that this environment is made of.

    A package may name extras (`pyjwt[crypto]`). Raises `PackageNotFoundError` for one that is not installed.
    """
    from packaging.requirements import Requirement
    from packaging.utils import canonicalize_name

    pins: dict[str, str] = {}
    followed: dict[str, set[str]] = {}  # by package, the extras whose requirements are known; "" is none
    named = [Requirement(package) for package in packages]
    waiting = list(named)
    while waiting:
        wanted = waiting.pop()
        name = canonicalize_name(wanted.name)
        extras = {"", *wanted.extras} - followed.setdefault(name, set())
        followed[name] |= extras
        try:
            found = distribution(name)
        except PackageNotFoundError:
            if wanted in named:
                raise
            continue  # for another platform or Python version
        pins[name] = found.version
        needed = [Requirement(line) for line in found.requires or []]
        for extra in extras:
            waiting += [each for each in needed if each.marker is None or each.marker.evaluate({"extra": extra})]
    return [f"{name}=={version}" for name, version in sorted(pins.items())]
