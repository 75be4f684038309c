"""Candidates: ways to build the classifier, of which validation chooses one."""

import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import pandas as pd
from pydantic import BaseModel, ConfigDict, Field

from catalog.blocks import Block
from catalog.classifier import Codes, ProductTypeClassifier
from catalog.scores import weighted_f1

logger = logging.getLogger(__name__)


class Candidate(BaseModel):
    """One way to build the classifier; see `ProductTypeClassifier` and `Block` for the meaning of the fields."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    blocks: list[Block] = Field(min_length=1)
    solver: Literal["svm", "logistic"] = "svm"
    C: float = Field(0.2, gt=0)
    alpha: float = Field(1e-6, gt=0)
    class_weight: Literal["balanced"] | None = None


class CandidateResult(BaseModel):
    """What a candidate reached on the validation split, and the seconds that fitting it took."""

    model_config = ConfigDict(frozen=True)

    validation_weighted_f1: float
    seconds: float


@dataclass(frozen=True)
class ChosenCandidate:
    """The best candidate's classifier, calibrated; its name, and the results of all candidates."""

    classifier: ProductTypeClassifier
    name: str
    results: dict[str, CandidateResult]


def fit_candidates(listings: pd.DataFrame, candidates: Mapping[str, Candidate], seed: int) -> ChosenCandidate:
    """Fit every candidate on the train split, keep the best on validation (the first of equals) and calibrate it.

    Raises `ValueError` without a candidate.
    """
    train, validation = (listings[listings["split"] == split] for split in ("train", "validation"))
    results: dict[str, CandidateResult] = {}
    best: ProductTypeClassifier | None = None
    chosen = ""
    for name, candidate in candidates.items():
        started = time.monotonic()
        classifier = ProductTypeClassifier(**{**dict(candidate), "seed": seed}).fit(*_columns(train))
        score = weighted_f1(validation["prdtypecode"].to_numpy(), classifier.predict(validation))
        results[name] = CandidateResult(validation_weighted_f1=score, seconds=time.monotonic() - started)
        logger.info("Candidate %s: weighted F1 %.4f on validation, %.1f s", name, score, results[name].seconds)
        if best is None or score > results[chosen].validation_weighted_f1:
            best, chosen = classifier, name
    if best is None:
        raise ValueError("no candidate is configured")
    return ChosenCandidate(best.calibrate(*_columns(validation)), chosen, results)


def _columns(listings: pd.DataFrame) -> tuple[list[str], list[str | None], Codes]:
    return listings["designation"].tolist(), listings["description"].tolist(), listings["prdtypecode"].to_numpy()
