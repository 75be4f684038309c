"""Make a version again from its record: `python run.py reproduce` runs this module of the version's own commit.

It needs neither ZenML nor MLflow, and it reads and writes nothing but the files of one folder, so an earlier or a later
release can run it:

- `rows FOLDER [LISTINGS]` reads `recipe.json`. Where there is no `listings.parquet`, it makes that from
  `feedback.parquet` and the raw listings: those in the folder LISTINGS, or the embedded ones. It writes `rows.json`.
- `train FOLDER` reads `recipe.json`, `listings.parquet` and, if there is one, `champion.parquet` (`text_key` and
  `predicted_code` of the test rows). It writes `answers.parquet` and `result.json`.
"""

from datetime import datetime
from pathlib import Path

import pandas as pd
from pydantic import BaseModel, ConfigDict

from catalog.comparison import Decision, decide, decide_first, rows_that_decide
from catalog.evaluation import Evaluation
from catalog.scores import Codes
from catalog.source import ListingSource
from catalog.taxonomy import Taxonomy
from catalog.training_parameters import TrainingParameters

_ANSWERS = ["text_key", "split", "prdtypecode", "predicted_code", "confidence"]


class Recipe(BaseModel):
    """What a version was made from, besides its rows. The code of the same commit writes it and reads it.

    `champion_version`: the version in production at that time (None: there was none). `decided_at`: when the two were
    compared, which decides which of the reviewed rows were recent.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    parameters: TrainingParameters
    taxonomy: Taxonomy
    source: ListingSource
    new_baseline: bool
    champion_version: str | None
    decided_at: datetime


class Rows(BaseModel):
    """How many rows a table of listings has, and their hash."""

    model_config = ConfigDict(frozen=True)

    rows: int
    data_hash: str


class Result(BaseModel):
    """What came of a training from a recipe.

    `chosen` is the candidate that was best on validation. `decision` is None if there was a champion, and its answers
    are not known.
    """

    model_config = ConfigDict(frozen=True)

    chosen: str
    evaluation: Evaluation
    decision: Decision | None


def consolidate_again(recipe: Recipe, feedback: pd.DataFrame, folder: Path | None) -> pd.DataFrame:
    """Return the clean table of the listings of a recipe's source; of files, those in `folder`.

    Raises `ListingReadError` if they cannot be read.
    """
    from catalog.consolidation import consolidate
    from catalog.listings import read_source

    raw = read_source(recipe.source, folder)
    return consolidate(raw, feedback, recipe.taxonomy.labels, recipe.parameters.consolidation).listings


def train_again(recipe: Recipe, listings: pd.DataFrame, champion: pd.DataFrame | None) -> tuple[pd.DataFrame, Result]:
    """Train, evaluate and decide as the pipeline does. Return the reference window, and the result.

    `champion` has the champion's answers on the test rows: text_key and predicted_code.
    """
    from catalog.candidates import fit_candidates
    from catalog.evaluation import evaluate_window
    from catalog.label_audit import audit_labels, without_errors
    from catalog.novelty import try_novelty
    from catalog.reference import build_reference_window
    from catalog.vector_machine import vectors_kept

    parameters = recipe.parameters
    to_train = listings
    if parameters.audit.cleans:
        suspects = audit_labels(listings, parameters.audit, parameters.seed)
        to_train = without_errors(listings, suspects, parameters.audit)
    target, trial = parameters.target_precision, None
    with vectors_kept():
        chosen = fit_candidates(to_train, parameters.candidates, parameters.seed)
        window = build_reference_window(listings, chosen.classifier)
        if parameters.abstain_on_novelty == "auto":
            trial = try_novelty(listings, chosen.parameters, target, parameters.seed)
    evaluation = evaluate_window(window, recipe.taxonomy, target, parameters.seed, trial)
    decision = _decide(recipe, window, evaluation, champion)
    return window, Result(chosen=chosen.name, evaluation=evaluation, decision=decision)


def _decide(
    recipe: Recipe, window: pd.DataFrame, evaluation: Evaluation, champion: pd.DataFrame | None
) -> Decision | None:
    rules, version = recipe.parameters.promotion, recipe.champion_version
    if version is None or recipe.new_baseline:
        return decide_first(evaluation, rules, new_baseline=recipe.new_baseline and version is not None)
    if champion is None:
        return None
    test, recent = rows_that_decide(window, rules, recipe.decided_at)
    answers: Codes = champion.set_index("text_key")["predicted_code"].loc[test["text_key"]].to_numpy()
    return decide(
        codes=test["prdtypecode"].to_numpy(),
        champion_predicted=answers,
        challenger_predicted=test["predicted_code"].to_numpy(),
        recent=recent,
        taxonomy=recipe.taxonomy,
        rules=rules,
        champion_version=version,
        seed=recipe.parameters.seed,
    )


def run(action: str, folder: str, listings: str | None = None) -> None:
    """Do what the module's text says; `action` is `rows` or `train`."""
    place = Path(folder)
    recipe = Recipe.model_validate_json((place / "recipe.json").read_bytes())
    if action == "rows":
        _rows(recipe, place, Path(listings) if listings else None)
        return
    answered = place / "champion.parquet"
    champion = pd.read_parquet(answered) if answered.is_file() else None
    window, result = train_again(recipe, pd.read_parquet(place / "listings.parquet"), champion)
    window[_ANSWERS].to_parquet(place / "answers.parquet", index=False)
    (place / "result.json").write_text(result.model_dump_json(), encoding="utf-8")


def _rows(recipe: Recipe, place: Path, folder: Path | None) -> None:
    from catalog.consolidation import content_hash

    table = place / "listings.parquet"
    if not table.is_file():
        again = consolidate_again(recipe, pd.read_parquet(place / "feedback.parquet"), folder)
        again.to_parquet(table, index=False)
    listings = pd.read_parquet(table)
    found = Rows(rows=len(listings), data_hash=content_hash(listings))
    (place / "rows.json").write_text(found.model_dump_json(), encoding="utf-8")


if __name__ == "__main__":
    import sys

    from catalog.reproduction import run as run_module  # not from __main__, which processes of the training cannot load

    run_module(*sys.argv[1:])
