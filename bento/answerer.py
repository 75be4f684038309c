"""Answering listings: classify, store, and only then give the answer out."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final
from uuid import uuid4

from pydantic import ValidationError

from bento.ledger_health import LedgerHealth
from bento.metrics import ServiceMetrics
from bento.schemas import BatchItem, Explanation, Listing, Prediction, RankedType, Reason, Span
from bento.turns import Pieces, Turns
from catalog import predictor as core
from catalog.language import detect_language
from catalog.predictor import Predictor
from catalog.spans import TermLocator
from catalog.text import label_key
from ledger.callers import Caller
from ledger.predictions import PredictionRecord
from ledger.receipts import ReceiptRecord
from ledger.writer import PredictionWriter
from web.problems import field_errors

PIECE: Final = 2_000  # characters: what is classified before others get their turn, about 8 ms
_Answer = tuple[Prediction, PredictionRecord]
_BatchAnswer = tuple[list[BatchItem], list[PredictionRecord]]
_MOST_FIELDS = 20  # of a listing in a batch
_SIZE_OF_ERROR = 200  # characters that take as long as an invalid listing


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

    async def answer(self, caller: Caller, listing: Listing, *, top: int, explain: bool) -> _Answer:
        """Return the answer to one listing and its record, which is not stored yet. `top`: the length of `top_k`."""
        if _size(listing) < PIECE:
            return self._answer(caller, listing, top=top, explain=explain)
        return await self._turns.run(self._in_pieces(caller, listing, top=top, explain=explain))

    async def answer_batch(self, caller: Caller, listings: Sequence[Any], *, top: int) -> _BatchAnswer:
        """Return an item for each listing, its answer or what is wrong with it, and the records of the answers."""
        return await self._turns.run(self._batch(caller, listings, top))

    async def explain(self, listing: Listing, code: int) -> Explanation:
        """Return the terms for and against a type that this model gave a listing before."""
        return await self._turns.run(self._explanation_in_pieces(listing, code))

    def _batch(self, caller: Caller, listings: Sequence[Any], top: int) -> Pieces[_BatchAnswer]:
        items: list[BatchItem] = []
        records: list[PredictionRecord] = []
        size = 0
        for index, entry in enumerate(listings):
            listing = _read(entry)
            if isinstance(listing, list):
                items.append(BatchItem(index=index, prediction=None, errors=listing))
                size += _SIZE_OF_ERROR
            else:
                size += _size(listing)
                prediction, record = yield from self._in_pieces(caller, listing, top=top, explain=False)
                records.append(record)
                items.append(BatchItem(index=index, prediction=prediction, errors=None))
            if size >= PIECE:
                yield True
                size = 0
        return items, records

    def _in_pieces(self, caller: Caller, listing: Listing, *, top: int, explain: bool) -> Pieces[_Answer]:
        if _size(listing) >= PIECE:
            for _ in self.predictor.look_up(listing.designation, listing.description):
                yield False
            yield False
        return self._answer(caller, listing, top=top, explain=explain)

    def _explanation_in_pieces(self, listing: Listing, code: int) -> Pieces[Explanation]:
        for _ in self.predictor.look_up(listing.designation, listing.description):
            yield False
        return self._explain(listing, code)

    def _answer(self, caller: Caller, listing: Listing, *, top: int, explain: bool) -> _Answer:
        found = self.predictor.predict_top_k(listing.designation, listing.description, top)
        language = detect_language(f"{listing.designation} {listing.description or ''}")
        prediction = Prediction(
            prediction_id=str(uuid4()),
            predicted_class=found.label,
            predicted_code=found.code,
            confidence=found.confidence,
            abstained=found.abstained,
            top_k=[RankedType(code=code, label=label, confidence=share) for code, label, share in found.top_k],
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
        self._ledger.succeeded()
        if earlier is None:
            for record in records:
                self._metrics.prediction(self.manifest.labels[record.predicted_code], record)
        return earlier

    def _explain(self, listing: Listing, code: int) -> Explanation:
        supporting, opposing = self.predictor.explain(listing.designation, listing.description, code)
        locator = TermLocator(listing.designation, listing.description)
        return Explanation(supporting=_reasons(supporting, locator), opposing=_reasons(opposing, locator))


def _read(entry: Any) -> Listing | list[dict[str, Any]]:
    """Return a listing of a batch, or what is wrong with it."""
    if isinstance(entry, dict) and len(entry) > _MOST_FIELDS:  # validation would make an error of each
        return [{"field": "", "message": f"the listing has more than {_MOST_FIELDS} fields"}]
    try:
        return Listing.model_validate(entry)
    except ValidationError as error:
        return field_errors(error.errors(include_input=False, include_url=False, include_context=False))


def _size(listing: Listing) -> int:
    """Return what the time for a listing grows with: its characters. Those of other scripts may expand."""
    text = listing.designation + (listing.description or "")
    return len(text) if text.isascii() else 3 * len(text)


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
