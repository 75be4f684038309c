"""The outcome of a training run, for people and programs."""

from typing import Literal, Self

from pydantic import BaseModel, ConfigDict

from catalog.comparison import Decision
from catalog.evaluation import Evaluation
from catalog.profile import Profile
from checks.data_report import DataReport
from tracking.registry import RegisteredVersion


class Outcome(BaseModel):
    """What a training run found and what came of it.

    `contract` is the verdict of the data contract, `contract_warnings` the expectations that are violated. `ece` is the
    expected calibration error. `model_version` and `bento_tag` are those in production after the run (None: none yet).
    """

    model_config = ConfigDict(frozen=True, protected_namespaces=())

    contract: Literal["ok", "warning", "failed"]
    contract_warnings: tuple[str, ...]
    rows: int
    data_hash: str
    weighted_f1: float
    weighted_f1_interval: tuple[float, float]
    macro_f1: float
    ece: float
    champion_weighted_f1: float | None
    promoted: bool
    reason: str
    model_version: str | None
    bento_tag: str | None

    @classmethod
    def of(
        cls,
        report: DataReport,
        profile: Profile,
        evaluation: Evaluation,
        decision: Decision,
        in_production: RegisteredVersion | None,
    ) -> Self:
        """Put together what the steps of a run returned, with the version in production after it."""
        return cls(
            contract=report.verdict,
            contract_warnings=tuple(report.violated),
            rows=profile.rows,
            data_hash=profile.data_hash,
            weighted_f1=evaluation.weighted_f1,
            weighted_f1_interval=evaluation.weighted_f1_interval,
            macro_f1=evaluation.macro_f1,
            ece=evaluation.expected_calibration_error,
            champion_weighted_f1=decision.champion_weighted_f1,
            promoted=decision.promoted,
            reason=decision.reason,
            model_version=in_production.number if in_production else None,
            bento_tag=in_production.tags.get("bento_tag") if in_production else None,
        )

    def summary(self) -> dict[str, str | int | float]:
        """Return what came of the run, for people who look at it in a dashboard."""
        return {
            "promoted": "yes" if self.promoted else "no",
            "reason": self.reason,
            "weighted F1": round(self.weighted_f1, 4),
            "weighted F1, 95 % interval": "{:.4f} to {:.4f}".format(*self.weighted_f1_interval),
            "macro F1": round(self.macro_f1, 4),
            "version in production": self.model_version or "none",
            "Bento in production": f"tag {self.bento_tag}" if self.bento_tag else "none",  # alone it would be a link
            "data contract": self.contract,
            "listings": self.rows,
            "pages": "data_report_page, evaluation_page, model_card, decision_page",
        }
