"""The steps of scoring: the packaged model in production answers a catalogue, which is compared with its reference."""

import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

from zenml import ArtifactConfig, get_step_context, log_metadata, step
from zenml.types import HTMLString

from catalog.taxonomy import Taxonomy
from checks.drift import Drift, DriftRules
from scoring.outcome import ScoringOutcome
from scoring.request import ScoringRequest
from tracking.registry import RegisteredVersion

_NO_PAGE = "<p>Nothing drifted. Evidently's page is kept of runs with drift only.</p>"
_SAMPLE = 10_000  # rows that are compared with the reference window, as many as monitoring takes


class BentoGoneError(RuntimeError):
    """The Bento of the version in production is not among the artifacts."""


class TooManyRejectedError(RuntimeError):
    """More rows of a catalogue than allowed could not be used."""


@step(enable_cache=False, experiment_tracker=True)
def score_catalogue(
    model_name: str, request: ScoringRequest
) -> tuple[
    Annotated[ScoringOutcome, ArtifactConfig(name="scoring_outcome", tags=["scoring"])],
    Annotated[RegisteredVersion, ArtifactConfig(name="champion", tags=["scoring", "model"])],
    Annotated[ScoringRequest, ArtifactConfig(name="scoring_request", tags=["scoring"])],
]:
    """Answer every row with the version in production. A run that was interrupted goes on where it was.

    `{date}` in the addresses is the day of the run (UTC).
    """
    from scoring.request import score_files
    from scoring.run import Unwatched
    from tracking.registry import in_production

    champion = in_production(model_name)
    request = request.of_day(datetime.now(UTC))
    bento = champion.tags["bento_tag"]
    with _bento_source(champion) as source:
        totals = score_files(request, request.files(), source, bento, Unwatched())
    outcome = ScoringOutcome.of(totals, request, champion.number, bento)
    log_metadata(metadata=outcome.model_dump(exclude={"types"}), artifact_name="scoring_outcome", infer_artifact=True)
    return outcome, champion, request


@step(enable_cache=False, experiment_tracker=True)
def measure_catalogue_drift(
    request: ScoringRequest,
    outcome: ScoringOutcome,
    champion: RegisteredVersion,
    taxonomy: Taxonomy,
    rules: DriftRules,
    seed: int,
) -> tuple[
    Annotated[Drift, ArtifactConfig(name="catalogue_drift", tags=["scoring", "drift"])],
    Annotated[HTMLString, ArtifactConfig(name="catalogue_drift_page", tags=["scoring", "drift", "page"])],
]:
    """Compare rows from all over the catalogue, with their answers, with the reference window of the version.

    The rows are read from the catalogue again, so no text is copied into the artifact store.
    """
    import pandas as pd

    from checks.drift_measurement import measure_drift
    from scoring.sample import COLUMNS, read_sample
    from tracking.model_files import read_reference

    with _bento_source(champion) as source:
        current = pd.DataFrame(read_sample(request, source, _SAMPLE), columns=COLUMNS)
    drift, page = measure_drift(current, read_reference(champion.evaluation_run), taxonomy, rules, seed)
    log_metadata(
        metadata={"verdict": drift.verdict, "reason": drift.reason, "rows": outcome.rows},
        artifact_name="catalogue_drift", infer_artifact=True,
    )  # fmt: skip
    return drift, HTMLString(page or _NO_PAGE)


@step(enable_cache=False)
def gate_rejected(outcome: ScoringOutcome, max_rejected: float) -> None:
    """Fail the run when more rows were rejected than allowed; the output is complete. Raises `TooManyRejectedError`."""
    if outcome.rejected_share > max_rejected:
        raise TooManyRejectedError(
            f"{outcome.rejected_share:.1%} of the rows could not be used, more than the allowed {max_rejected:.1%}; "
            f"{outcome.output}.rejected.csv lists them, and the output is complete without them"
        )


@contextmanager
def _bento_source(champion: RegisteredVersion) -> Iterator[Path]:
    """Yield the source folder of the Bento of a version, from the artifact of the run that packaged it.

    Raises `BentoGoneError`, and `ModelFolderError` for a damaged one.
    """
    from catalog.model_folder import Manifest

    artifact = get_step_context().model.get_artifact("bento")
    packaged = artifact.load() if artifact else None
    if packaged is None or packaged.archive is None or packaged.tag != champion.tags.get("bento_tag"):
        raise BentoGoneError(f"the Bento of version {champion.number} is no artifact any more: train with --no-cache")
    with TemporaryDirectory(prefix="scoring-") as folder:
        archive = Path(folder) / "bento.tar"
        packaged.archive(archive)
        with tarfile.open(archive) as content:
            content.extractall(folder, filter="data")
        source = Path(folder) / "src"
        Manifest.verified(source / "model")
        yield source
