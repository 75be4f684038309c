"""How the labels of listings are audited."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class AuditRules(BaseModel):
    """Whether a training audits the labels, and how.

    `in_training`: `off`; `report`: list the suspects; `drop` and `correct`: list those among the train rows, and train
    without the sure ones, or with the proposed type. `sure`: by how much the confidence in the proposed type must
    exceed that in the given one.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    in_training: Literal["off", "report", "drop", "correct"] = "off"
    folds: int = Field(5, ge=2, le=20)
    sure: float = Field(0.9, gt=0, lt=1)

    @property
    def cleans(self) -> bool:
        """Whether the labels that a training learns from are changed."""
        return self.in_training in ("drop", "correct")
