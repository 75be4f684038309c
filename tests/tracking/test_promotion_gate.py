"""The promotion gate on a real registry, with a champion whose answers the test gives."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pandas as pd
import pytest

from catalog.comparison import Decision, PromotionRules, decide
from catalog.evaluation import Evaluation
from catalog.source import SourceKind
from catalog.taxonomy import Taxonomy
from tracking import promotion_gate, registry
from tracking.promotions import promote, roll_back
from tracking.training_run import Trained

TYPES = Taxonomy(name="shop", labels={1: "Pools", 2: "Sofas"})
ROWS = 400
Gate = Callable[..., Decision]


def a_window(right: float) -> pd.DataFrame:
    """A reference window in which this share of the answers is right."""
    codes = np.resize([1, 2], ROWS)
    predicted = np.where(np.arange(ROWS) < right * ROWS, codes, 3 - codes)
    never = pd.Series(pd.NaT, index=range(ROWS), dtype="datetime64[us, UTC]")
    return pd.DataFrame(
        {
            "split": "test", "origin": "listing", "sampled": False, "given_at": never, "designation": "title",
            "description": None, "prdtypecode": codes, "predicted_code": predicted,
        }
    )  # fmt: skip


def a_training(folder: Path, run: str, source: SourceKind) -> Trained:
    model = folder / run
    model.mkdir(exist_ok=True)
    (model / "MLmodel").write_text("flavors: {}\n")
    known = {"run_id": run, "model_uri": model.as_uri(), "source": source}
    return cast(Trained, SimpleNamespace(**known))


@pytest.fixture
def gate(tracker: Path, monkeypatch: pytest.MonkeyPatch) -> Gate:
    """`gate(run, right, source)` decides about a training; the champion answers half of the rows right."""

    def champion_answers(_version: object, rows: pd.DataFrame) -> Any:
        codes = rows["prdtypecode"].to_numpy()
        return np.where(np.arange(len(rows)) < len(rows) / 2, codes, 3 - codes)

    def decide(
        run: str,
        right: float = 0.9,
        source: SourceKind = "files",
        *,
        window: pd.DataFrame | None = None,
        evaluation_run: str = "evaluation",
        new_baseline: bool = False,
        seed: int = 0,
        **rules: Any,
    ) -> Decision:
        decision = promotion_gate.decide_promotion(
            a_training(tracker, run, source),
            cast(Evaluation, SimpleNamespace(weighted_f1=right, macro_f1=right)),
            evaluation_run,
            a_window(right) if window is None else window,
            registry.by_alias(TYPES.name, registry.PRODUCTION),
            TYPES,
            PromotionRules(**rules),
            new_baseline=new_baseline,
            seed=seed,
            now=datetime.now(UTC),
        )
        if decision.question and decision.challenger_version:  # as the last step of a run does
            settled = {promotion_gate.settled_tag(decision.question): decision.verdict}
            registry.tag(TYPES.name, decision.challenger_version, settled)
        return decision

    monkeypatch.setattr(promotion_gate, "predict_with_own_code", champion_answers)
    return decide


def put_into_production(decision: Decision) -> None:
    assert decision.challenger_version
    now = registry.by_alias(TYPES.name, registry.PRODUCTION)
    promote(TYPES.name, decision.challenger_version, decision.reason, against=now.number if now else None)


def test_a_better_model_of_the_same_kind_of_listings_is_promoted(gate: Gate) -> None:
    put_into_production(gate("first"))
    assert gate("second").promoted is True


@pytest.mark.parametrize(("production", "challenger"), [("files", "embedded"), ("embedded", "files")])
def test_listings_from_another_kind_of_source_never_decide(
    gate: Gate, production: SourceKind, challenger: SourceKind
) -> None:
    put_into_production(gate("first", source=production))
    decision = gate("second", source=challenger)
    assert decision.promoted is False
    assert "version 1 in production was trained on" in decision.reason
    assert "run again with --new-baseline" in decision.reason
    assert gate("second", source=challenger, new_baseline=True).promoted is True


def test_a_version_without_a_record_of_its_listings_is_not_compared(gate: Gate, tracker: Path) -> None:
    import mlflow

    put_into_production(gate("first"))
    mlflow.MlflowClient().delete_model_version_tag(TYPES.name, "1", "source")
    decision = gate("second")
    assert decision.promoted is False
    assert "listings of which no record says where they are from" in decision.reason


def test_a_verdict_is_remembered_while_its_opponent_is_in_production(gate: Gate) -> None:
    put_into_production(gate("first"))
    put_into_production(gate("second"))
    refused = gate("third", right=0.4)
    assert refused.promoted is False
    again = gate("third", right=0.4)
    assert again.reason == "same data and code as version 3, which was refused against version 2"
    assert again.challenger_version == "3"
    roll_back(TYPES.name, "2 is worse than 3")
    against_1 = gate("third", right=0.9)
    assert (against_1.promoted, against_1.challenger_version, against_1.champion_version) == (True, "3", "1")


def test_what_was_rolled_back_is_not_promoted_again_by_the_same_question(gate: Gate) -> None:
    put_into_production(gate("first"))
    put_into_production(gate("second"))
    roll_back(TYPES.name, "worse on toys")
    assert gate("second").reason == "same data and code as version 2, which was promoted against version 1"
    assert gate("second", new_baseline=True).promoted is True


def test_a_first_model_below_the_minimum_is_asked_about_once(gate: Gate) -> None:
    assert gate("first", right=0.2).promoted is False
    again = gate("first", right=0.2)
    assert again.reason == "same data and code as version 1, which was refused when none was in production"
    put_into_production(gate("second"))
    assert gate("first", right=0.2).champion_version == "2"


@pytest.mark.parametrize("changed", [{"margin": 0.2}, {"minimum_gain": 0.6}, {"seed": 1}, {"recent_days": 5}])
def test_another_rule_or_seed_is_another_question(gate: Gate, changed: dict[str, Any]) -> None:
    put_into_production(gate("first"))
    assert "same data and code" not in gate("second", right=0.4).reason
    assert "same data and code as version 2" in gate("second", right=0.4).reason
    decision = gate("second", right=0.4, **changed)
    assert "same data and code" not in decision.reason
    assert decision.challenger_version == "2"


def test_another_evaluation_of_the_same_training_is_another_version(gate: Gate) -> None:
    put_into_production(gate("first"))
    decision = gate("first", evaluation_run="with another target precision")
    assert (decision.challenger_version, "same data and code" in decision.reason) == ("2", False)
    version = registry.by_number(TYPES.name, "2")
    assert version.evaluation_run == "with another target precision"
    assert registry.by_number(TYPES.name, "1").evaluation_run == "evaluation"


def test_the_version_in_production_is_not_compared_with_itself_nor_made_a_new_baseline(gate: Gate) -> None:
    put_into_production(gate("first"))
    for new_baseline in (False, True):
        decision = gate("first", new_baseline=new_baseline, margin=0.2)
        assert decision.promoted is False
        assert decision.reason == "same data and code as version 1, which is in production"


def test_rows_reviewed_by_the_uncertainty_of_the_champion_decide_nothing(gate: Gate) -> None:
    """The last 300 of 1,000 rows were reviewed, 200 of them because they are in the random sample."""
    put_into_production(gate("first"))
    window = pd.concat([a_window(0.5)] * 3, ignore_index=True).iloc[:1_000]
    reviewed, sampled = window.index >= 700, window.index >= 800
    window["origin"] = np.where(reviewed, "reviewed", "listing")
    window["sampled"] = sampled
    window.loc[reviewed, "given_at"] = datetime.now(UTC) - timedelta(days=1)
    decision = gate("second", window=window)
    assert decision.on_test is not None
    assert decision.on_recent is not None
    assert (decision.on_test.rows, decision.on_recent.rows) == (700, 200)  # no row counts twice, 100 count nowhere
    window.loc[sampled, "given_at"] = datetime.now(UTC) - timedelta(days=100)
    assert gate("third", window=window).on_recent is None


@pytest.mark.parametrize(("by_uncertainty", "least", "most"), [(False, 0.0, 0.06), (True, 0.5, 1.0)])
def test_a_model_that_is_no_better_wins_on_recent_rows_by_chance_alone(
    by_uncertainty: bool, least: float, most: float
) -> None:
    """Two models are right with the same probability; the champion is less confident where it is wrong."""
    draw = np.random.default_rng(0)
    wins = 0
    for seed in range(200):
        codes = draw.integers(1, 3, size=4_000)
        champion, challenger = (np.where(draw.random(4_000) < 0.8, codes, 3 - codes) for _ in range(2))
        confidence = draw.normal(np.where(champion == codes, 0.7, 0.6), 0.1)
        chosen = np.argsort(confidence)[:250] if by_uncertainty else draw.choice(4_000, 250, replace=False)
        recent = np.isin(np.arange(4_000), chosen)
        decision = decide(codes, champion, challenger, recent, TYPES, PromotionRules(resamples=400), "1", seed)
        wins += decision.on_recent is not None and decision.on_recent.lower > 0
    assert least <= wins / 200 <= most
