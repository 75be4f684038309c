"""Answering listings: classify, store, and only then give the answer out."""

from datetime import UTC, datetime
from uuid import uuid4

from bento.metrics import ServiceMetrics
from bento.schemas import Explanation, Listing, Prediction, RankedType, Reason
from catalog import predictor as core
from catalog.language import detect_language
from catalog.predictor import Predictor
from catalog.text import label_key
from ledger.callers import Caller
from ledger.predictions import PredictionRecord
from ledger.receipts import ReceiptRecord
from ledger.writer import PredictionWriter


class ListingAnswerer:
    """Answers listings with one model. `codes_of_labels`: `label_key` -> code."""

    def __init__(self, predictor: Predictor, writer: PredictionWriter, metrics: ServiceMetrics) -> None:
        self.predictor = predictor
        self.manifest = predictor.manifest
        self.codes_of_labels = {label_key(label): code for code, label in self.manifest.labels.items()}
        self._writer = writer
        self._metrics = metrics

    def answer(self, caller: Caller, listing: Listing, *, explain: bool) -> tuple[Prediction, PredictionRecord]:
        """Return the answer to one listing and its record, which is not stored yet."""
        found = self.predictor.predict_top_k(listing.designation, listing.description)
        language = detect_language(f"{listing.designation} {listing.description or ''}")
        prediction = Prediction.model_construct(
            prediction_id=str(uuid4()),
            predicted_class=found.label,
            predicted_code=found.code,
            confidence=found.confidence,
            abstained=found.abstained,
            top_k=[
                RankedType.model_construct(code=code, label=label, confidence=share)
                for code, label, share in found.top_k
            ],
            language=language,
            model_version=self.manifest.model_version,
            explanation=self._explain(listing, found.code) if explain else None,
        )
        record = PredictionRecord(
            prediction.prediction_id, caller.user_id, listing.designation, listing.description, found.code,
            found.confidence, found.abstained, language, self.manifest.name, self.manifest.model_version,
            datetime.now(UTC),
        )  # fmt: skip
        return prediction, record

    async def store(
        self, caller: Caller, records: list[PredictionRecord], receipt: ReceiptRecord | None
    ) -> ReceiptRecord | None:
        """Store records and count them; or, with nothing stored, return the receipt of the same request made before.

        Raises what `ledger.writer.PredictionWriter.store` raises.
        """
        self._metrics.waiting.inc(len(records))
        try:
            earlier = await self._writer.store(caller, records, receipt)
        finally:
            self._metrics.waiting.dec(len(records))
        if earlier is None:
            for record in records:
                self._metrics.prediction(self.manifest.labels[record.predicted_code], record)
        return earlier

    def _explain(self, listing: Listing, code: int) -> Explanation:
        supporting, opposing = self.predictor.explain(listing.designation, listing.description, code)
        return Explanation(supporting=_reasons(supporting), opposing=_reasons(opposing))


def _reasons(reasons: "list[core.Reason]") -> list[Reason]:
    return [Reason(term=reason.term, field=reason.field, contribution=reason.contribution) for reason in reasons]
