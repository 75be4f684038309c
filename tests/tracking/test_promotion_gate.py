"""The promotion gate on a real registry, with a champion whose answers the test gives."""

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pandas as pd
import pytest

from catalog.comparison import Decision, PromotionRules
from catalog.evaluation import Evaluation
from catalog.source import SourceKind
from catalog.taxonomy import Taxonomy
from tracking import promotion_gate, registry
from tracking.promotions import promote
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
            "split": "test", "origin": "listing", "given_at": never, "designation": "title", "description": None,
            "prdtypecode": codes, "predicted_code": predicted,
        }
    )  # fmt: skip


def a_training(folder: Path, run: str, source: SourceKind) -> Trained:
    model = folder / run
    model.mkdir(exist_ok=True)
    (model / "MLmodel").write_text("flavors: {}\n")
    known = {"run_id": run, "model_uri": model.as_uri(), "fingerprint": run, "source": source}
    return cast(Trained, SimpleNamespace(**known))


@pytest.fixture
def gate(tracker: Path, monkeypatch: pytest.MonkeyPatch) -> Gate:
    """`gate(run, right, source)` decides about a training; the champion answers half of the rows right."""

    def champion_answers(_version: object, rows: pd.DataFrame) -> Any:
        codes = rows["prdtypecode"].to_numpy()
        return np.where(np.arange(len(rows)) < len(rows) / 2, codes, 3 - codes)

    def decide(
        run: str, right: float = 0.9, source: SourceKind = "files", *, new_baseline: bool = False, **rules: Any
    ) -> Decision:
        return promotion_gate.decide_promotion(
            a_training(tracker, run, source),
            cast(Evaluation, SimpleNamespace(weighted_f1=right, macro_f1=right)),
            a_window(right),
            registry.by_alias(TYPES.name, registry.PRODUCTION),
            TYPES,
            PromotionRules(**rules),
            new_baseline=new_baseline,
            seed=0,
        )

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
