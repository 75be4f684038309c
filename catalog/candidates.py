"""Candidates: ways to build the classifier, of which validation chooses one."""

import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Literal, Self

import pandas as pd
from pydantic import BaseModel, ConfigDict, Field

from catalog.blocks import Block
from catalog.classifier import Codes, ProductTypeClassifier
from catalog.scores import weighted_f1
from catalog.sentence_vectors import require_encoder
from catalog.vector_machine import vectors_kept

logger = logging.getLogger(__name__)


Positive = Annotated[float, Field(gt=0)]
Share = Annotated[float, Field(ge=0, le=1)]
Some = Field(min_length=1)


class Candidate(BaseModel):
    """One way to build the classifier; see `ProductTypeClassifier` and `Block` for the meaning of the fields.

    A list has the values of a setting that are compared on validation; the first is the default.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    blocks: list[Block] = Field(min_length=1)
    solver: Literal["blend", "logistic"] = "blend"
    C: Positive | Annotated[list[Positive], Some] = 0.5
    smoothing: Positive | Annotated[list[Positive], Some] = 0.01
    bayes_share: Share | Annotated[list[Share], Some] = 0.5
    vector_share: Share | Annotated[list[Share], Some] = 0.0
    alpha: Positive = 1e-6
    class_weight: Literal["balanced"] | None = None
    maximum_coefficients: int = Field(64_000_000, ge=1)

    def settled(self, classifier: ProductTypeClassifier) -> Self:
        """Return the candidate with the values that a fitted classifier has chosen."""
        chosen = {"vector_share": classifier.vector_share_}
        if self.solver == "blend":
            chosen |= {"C": classifier.C_, "smoothing": classifier.smoothing_, "bayes_share": classifier.bayes_share_}
        return self.model_copy(update=chosen)

    @property
    def uses_vectors(self) -> bool:
        """Whether sentence vectors are a part of it, or may be."""
        return max(self.vector_share) > 0 if isinstance(self.vector_share, list) else self.vector_share > 0


class CandidateResult(BaseModel):
    """What a candidate reached on the validation split, and the seconds that fitting it took."""

    model_config = ConfigDict(frozen=True)

    validation_weighted_f1: float
    seconds: float


@dataclass(frozen=True)
class ChosenCandidate:
    """The best candidate's classifier, calibrated; its name and settled parameters, and the results of all."""

    classifier: ProductTypeClassifier
    name: str
    parameters: Candidate
    results: dict[str, CandidateResult]


@vectors_kept()
def fit_candidates(listings: pd.DataFrame, candidates: Mapping[str, Candidate], seed: int) -> ChosenCandidate:
    """Fit every candidate on the train split, keep the best on validation (the first of equals) and calibrate it.

    Raises `ValueError` without a candidate, and `EncoderError`, before anything is fitted, if one has sentence vectors
    and their encoder is not installed.
    """
    require_encoder_of(candidates)
    train, validation = (listings[listings["split"] == split] for split in ("train", "validation"))
    results: dict[str, CandidateResult] = {}
    best: ProductTypeClassifier | None = None
    chosen = ""
    for name, candidate in candidates.items():
        started = time.monotonic()
        classifier = ProductTypeClassifier(**{**dict(candidate), "seed": seed})
        classifier.fit(*_columns(train), validation=_columns(validation))
        score = weighted_f1(validation["prdtypecode"].to_numpy(), classifier.predict(validation))
        results[name] = CandidateResult(validation_weighted_f1=score, seconds=time.monotonic() - started)
        logger.info("Candidate %s: weighted F1 %.4f on validation, %.1f s", name, score, results[name].seconds)
        if best is None or score > results[chosen].validation_weighted_f1:
            best, chosen = classifier, name
    if best is None:
        raise ValueError("no candidate is configured")
    settled = candidates[chosen].settled(best)
    logger.info(
        "Candidate %s is kept: C %s, smoothing %s, bayes_share %s, vector_share %s", chosen, settled.C,
        settled.smoothing, settled.bayes_share, settled.vector_share,
    )  # fmt: skip
    return ChosenCandidate(best.calibrate(*_columns(validation)), chosen, settled, results)


def require_encoder_of(candidates: Mapping[str, Candidate]) -> None:
    """Check that the sentence encoder is installed if a candidate needs it. Raises `EncoderError`."""
    if any(candidate.uses_vectors for candidate in candidates.values()):
        require_encoder()


def _columns(listings: pd.DataFrame) -> tuple[list[str], list[str | None], Codes]:
    return listings["designation"].tolist(), listings["description"].tolist(), listings["prdtypecode"].to_numpy()
