"""What drift is: the rules, and what was measured."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from catalog.verdict import Verdict


class DriftRules(BaseModel):
    """When traffic has drifted."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    minimum_rows: int = Field(200, ge=50, description="different texts below which drift is not measured")
    numerical_threshold: float = Field(0.15, gt=0, description="Wasserstein distance in standard deviations")
    categorical_threshold: float = Field(0.12, gt=0, lt=1, description="Jensen-Shannon distance")
    noise_deviations: float = Field(5.0, gt=0, description="standard deviations above the noise's mean")
    drifted_columns: int = Field(3, ge=1, description="drifted columns that make the verdict drift; fewer: warning")
    text_rows: int = Field(2_000, ge=50, description="texts of either window that the domain classifier sees")
    text_warning: float = Field(0.65, ge=0.5, le=1, description="ROC AUC of the domain classifier: warning")
    text_drift: float = Field(0.75, ge=0.5, le=1, description="ROC AUC of the domain classifier: drift")

    @model_validator(mode="after")
    def _ordered(self) -> "DriftRules":
        if self.text_drift < self.text_warning:
            raise ValueError("text_drift is below text_warning")
        return self


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True)


class ColumnDrift(_Frozen):
    """The drift of one column: its distance, the threshold, the noise, and whether the distance is above both.

    `medians` are (reference, current) of a numerical column, `shares` those of each category of a categorical one.
    """

    column: str
    method: Literal["wasserstein", "jensenshannon"]
    score: float
    threshold: float
    noise: float
    drifted: bool
    medians: tuple[float, float] | None = None
    shares: dict[str, tuple[float, float]] = {}

    @property
    def limit(self) -> float:
        """The distance above which the column drifts."""
        return max(self.threshold, self.noise)


class TextDrift(_Frozen):
    """How well a classifier tells current texts from reference texts, on texts that it did not learn from.

    `noise` is the AUC that it reaches by chance. `telling` are the terms typical of current texts, the strongest first.
    """

    auc: float
    noise: float
    rows: int
    verdict: Verdict
    telling: tuple[str, ...]


class Drift(_Frozen):
    """What was measured. With the verdict `insufficient_data` there are no columns and no text drift."""

    verdict: Verdict
    reason: str
    rows: int
    distinct_rows: int
    reference_rows: int
    columns: tuple[ColumnDrift, ...] = ()
    text: TextDrift | None = None
