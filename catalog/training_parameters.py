"""All parameters of a training."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from catalog.audit_rules import AuditRules
from catalog.candidates import Candidate
from catalog.comparison import PromotionRules
from catalog.consolidation import ConsolidationRules


class TrainingParameters(BaseModel):
    """What a training is told, besides its listings: the seed, the candidates, and the rules.

    `size` is the number of embedded listings, for a training without files. `abstain_on_novelty`: `auto` tries on
    validation whether it pays (`catalog.novelty`); `off` does not.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    seed: int = 0
    size: int = Field(20_000, ge=200)
    target_precision: float = Field(0.95, gt=0, lt=1)
    abstain_on_novelty: Literal["auto", "off"] = "auto"
    consolidation: ConsolidationRules = ConsolidationRules()
    audit: AuditRules = AuditRules()
    candidates: dict[str, Candidate] = Field(min_length=1)
    promotion: PromotionRules = PromotionRules()
