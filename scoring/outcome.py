"""What came of a catalogue, as a value that steps hand on."""

from typing import Self

from pydantic import BaseModel, ConfigDict

from scoring.journal import Totals
from scoring.request import ScoringRequest


class ScoringOutcome(BaseModel):
    """What came of a catalogue. `types`: answers by code."""

    model_config = ConfigDict(frozen=True, protected_namespaces=())

    model_version: str
    bento: str
    input: str
    output: str
    shards: int
    rows: int
    rejected: int
    rejected_share: float
    abstained: int
    abstained_share: float
    novel: int
    novel_share: float
    types: dict[str, int]

    @classmethod
    def of(cls, totals: Totals, request: ScoringRequest, version: str, bento: str) -> Self:
        """Return the outcome of a run."""
        return cls(
            model_version=version, bento=bento, input=request.input, output=request.output,
            rejected_share=totals.rejected_share, abstained_share=totals.abstained_share,
            novel_share=totals.novel_share, **totals.as_record(),
        )  # fmt: skip

    def totals(self) -> Totals:
        """Return the figures as a run has them."""
        return Totals.of_record(self.model_dump(include={"shards", "rows", "rejected", "abstained", "novel", "types"}))
