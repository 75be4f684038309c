"""Build the Bento of a promoted challenger and make sure that it answers as the trained model does."""

import shutil
import tempfile
from collections.abc import Iterable
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import pandas as pd
from zenml import ArtifactConfig, log_metadata, step

from steps.caching import SOURCE_ROOT
from steps.materializers import BentoMaterializer, PackagedBento

SERVING_PACKAGES = ("bentoml", "fastapi", "numpy", "pydantic")
SERVING_CODE = (
    "bento/__init__.py",
    "bento/service.py",
    "bento/settings.py",
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
        created_at=datetime.now(UTC).isoformat(timespec="seconds"),
    )
    sample = listings.sample(n=min(len(listings), PARITY_LISTINGS), random_state=0)
    packaged = build_bento(classifier, manifest, sample, Path(tempfile.mkdtemp(prefix="bento-")))
    log_metadata(
        metadata={"bento_tag": packaged.tag or "", "parity_listings": len(sample)},
        artifact_name="bento",
        infer_artifact=True,
    )
    return packaged


def build_bento(classifier: Any, manifest: Any, sample: pd.DataFrame, folder: Path) -> PackagedBento:
    """Build, verify and export a Bento.

    Args:
        classifier: the trained `ProductTypeClassifier`.
        manifest: the `Manifest` to seal the model folder with.
        sample: listings that the built Bento must answer as the classifier does.
        folder: an empty folder for the build context and the exported archive.

    Raises:
        ParityError: an answer differs; the Bento is deleted again.
    """
    import bentoml

    context = folder / "context"
    for name in SERVING_CODE:
        (context / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(SOURCE_ROOT / name, context / name)
    model = context / "model"
    model.mkdir()
    classifier.export(model)
    manifest.seal(model)
    bento = bentoml.build(
        "bento.service:ProductTypes",
        name=manifest.name,
        # The run's id makes the tag unique where two registries share one Bento store.
        version=f"{manifest.model_version}-{manifest.run_id[:8]}",
        labels={"model_version": manifest.model_version, "data_hash": manifest.data_hash[:16]},
        python={"packages": locked_requirements(SERVING_PACKAGES), "lock_packages": False},
        build_ctx=str(context),
    )
    shutil.rmtree(context)
    try:
        check_parity(classifier, Path(bento.path) / "src" / "model", sample)
    except ParityError:
        bentoml.delete(bento.tag)
        raise
    archive = bentoml.export_bento(bento.tag, str(folder / "bento.tar"), output_format="tar")
    return PackagedBento(str(bento.tag), manifest.model_version, Path(archive))


def check_parity(classifier: Any, model_folder: Path, sample: pd.DataFrame) -> None:
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
    """Return these packages and all they need, pinned to the locked versions that this environment is made of."""
    from packaging.requirements import Requirement

    pins: dict[str, str] = {}
    waiting = list(packages)
    while waiting:
        name = waiting.pop().lower().replace("_", "-")
        if name in pins:
            continue
        try:
            found = distribution(name)
        except PackageNotFoundError:  # for another platform or Python version
            continue
        pins[name] = found.version
        for line in found.requires or []:
            requirement = Requirement(line)
            if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
                waiting.append(requirement.name)
    return [f"{name}=={version}" for name, version in sorted(pins.items())]
