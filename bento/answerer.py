"""Answering listings: classify, store, and only then give the answer out."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, Final
from uuid import uuid4

from pydantic_core import to_json

from bento.batch_listings import Read, in_pieces
from bento.ledger_health import LedgerHealth
from bento.metrics import ServiceMetrics
from bento.prediction_ids import new_ids
from bento.schemas import Explanation, Listing, Reason, Span
from bento.turns import Pieces, Turns
from catalog import predictor as core
from catalog.language import detect_language
from catalog.predictor import Classification, Predictor, Texts
from catalog.spans import TermLocator
from catalog.text import label_key
from ledger.callers import Caller
from ledger.predictions import PredictionRecord
from ledger.receipts import ReceiptRecord
from ledger.writer import PredictionWriter

PIECE: Final = 2_000  # bytes of text: what is classified before others get their turn, up to about 8 ms
# The dictionary is a `bento.schemas.Prediction`: a model for each answer would take a tenth of the predictor's time.
Answer = tuple[dict[str, Any], PredictionRecord]
BatchAnswer = tuple[list[bytes], list[PredictionRecord]]


class ListingAnswerer:
    """Answers listings with one model. `codes_of_labels`: `label_key` -> code."""

    def __init__(
        self, predictor: Predictor, writer: PredictionWriter, metrics: ServiceMetrics, ledger: LedgerHealth
    ) -> None:
        self.predictor = predictor
        self.manifest = predictor.manifest
        self.codes_of_labels = {label_key(label): code for code, label in self.manifest.labels.items()}
        self._writer = writer
        self._metrics = metrics
        self._ledger = ledger
        self._turns = Turns()

    async def answer(self, caller: Caller, listing: Listing, *, top: int, explain: bool) -> Answer:
        """Return the answer to one listing and its record, which is not stored yet. `top`: the length of `top_k`."""
        texts = listing.designation, listing.description
        if _is_long(*texts):
            found = (await self._turns.run(self.predictor.predict_in_pieces([texts], top)))[0]
        else:
            found = self.predictor.predict_top_k(*texts, top)
        return self._answer(caller, texts, found, str(uuid4()), datetime.now(UTC), explain=explain)

    async def answer_batch(self, caller: Caller, listings: Sequence[Any], *, top: int) -> BatchAnswer:
        """Return the answer to each listing as JSON, or what is wrong with it, and the records of the answers."""
        return await self._turns.run(self._batch(caller, listings, top))

    async def explain(self, listing: Listing, code: int) -> Explanation:
        """Return the terms for and against a type that this model gave a listing before."""
        return await self._turns.run(self._explanation_in_pieces((listing.designation, listing.description), code))

    def _batch(self, caller: Caller, listings: Sequence[Any], top: int) -> Pieces[BatchAnswer]:
        answer: BatchAnswer = [], []
        ids = iter(new_ids(len(listings)))
        for piece in in_pieces(listings):
            valid = [entry for entry in piece if isinstance(entry, tuple)]
            found = iter((yield from self.predictor.predict_in_pieces(valid, top)))
            self._answer_piece(caller, piece, found, ids, answer)
            yield True
        return answer

    def _answer_piece(
        self,
        caller: Caller,
        piece: list[Read],
        found: Iterator[Classification],
        ids: Iterator[str],
        answer: BatchAnswer,
    ) -> None:
        """Add the answers to a piece of a batch. `found` has one for each valid listing."""
        items, records = answer
        now = datetime.now(UTC)
        for entry in piece:
            item: dict[str, Any] = {"index": len(items)}
            if isinstance(entry, list):
                item["errors"] = entry
            else:
                item["prediction"], record = self._answer(caller, entry, next(found), next(ids), now, explain=False)
                records.append(record)
            items.append(to_json(item))

    def _explanation_in_pieces(self, texts: Texts, code: int) -> Pieces[Explanation]:
        yield from self.predictor.look_up(*texts)
        return self._explain(texts, code)

    def _answer(
        self, caller: Caller, texts: Texts, found: Classification, prediction_id: str, now: datetime, *, explain: bool
    ) -> Answer:
        title, description = texts
        language = detect_language(f"{title} {description or ''}")
        prediction: dict[str, Any] = {
            "prediction_id": prediction_id,
            "predicted_class": found.label,
            "predicted_code": found.code,
            "confidence": found.confidence,
            "abstained": found.abstained,
            "top_k": [{"code": code, "label": label, "confidence": share} for code, label, share in found.top_k],
            "language": language,
            "model_version": self.manifest.model_version,
        }
        if found.novelty:
            prediction["novelty"] = True
        if explain:
            prediction["explanation"] = self._explain(texts, found.code).model_dump()
        record = PredictionRecord(
            prediction_id, caller.user_id, title, description, found.code, found.confidence, found.abstained,
            found.novelty, language, self.manifest.name, self.manifest.model_version, now,
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
        self._ledger.succeeded()
        if earlier is None:
            self._metrics.predictions(self.manifest.labels, records)
        return earlier

    def _explain(self, texts: Texts, code: int) -> Explanation:
        supporting, opposing = self.predictor.explain(*texts, code)
        locator = TermLocator(*texts)
        return Explanation(supporting=_reasons(supporting, locator), opposing=_reasons(opposing, locator))


def _is_long(title: str, description: str | None) -> bool:
    """Return whether a listing may take several milliseconds. Characters of other scripts, which may expand, count as
    the three or four bytes that they have in UTF-8."""
    return len(title.encode()) + len((description or "").encode()) >= PIECE


def _reasons(reasons: list[core.Reason], locator: TermLocator) -> list[Reason]:
    return [
        Reason(
            term=reason.term,
            field=reason.field,
            contribution=reason.contribution,
            spans=[Span.model_construct(field=at.field, start=at.start, end=at.end) for at in locator.spans(reason)],
        )
        for reason in reasons
    ]
