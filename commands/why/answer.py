"""The answer to "why", for people and programs."""

import shlex
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Self

from pydantic import BaseModel, ConfigDict

from commands.why.own_model import OwnAnswer, Term
from commands.why.stored import Stored
from ledger.callers import TRUSTED_ROLES
from terminal.tables import show_next, show_rows
from tracking.lineage import Lineage, Training
from tracking.promotion_log import Entry
from tracking.training_record import TrainingRecord

_SHOWN = 200  # characters of a text of a user


class Review(BaseModel):
    """What somebody said on the prediction. `given_by`: the name, or the id of a user without one."""

    model_config = ConfigDict(frozen=True)

    code: int
    label: str | None
    role: str
    trusted: bool
    given_by: str
    given_at: datetime


class Why(BaseModel):
    """Everything that is known of a stored answer. None: not known; `missing` has a sentence about each such part.

    `reproduced`: the version's own model gives the same answer today; `difference` is that of the confidences.
    """

    model_config = ConfigDict(frozen=True, protected_namespaces=())

    prediction_id: str
    at: datetime
    user: str
    designation: str
    description: str | None
    code: int
    label: str | None
    confidence: float
    abstained: bool
    novelty: bool
    language: str
    model_name: str
    model_version: str
    bento: str | None
    pipeline_run: str | None
    training: Training | None
    record: TrainingRecord | None
    decision: str | None
    pages: dict[str, str]
    moves: list[Entry]
    reviews: list[Review]
    supporting: list[Term]
    opposing: list[Term]
    reproduced: bool | None
    difference: float | None
    answer_today: int | None
    missing: list[str]

    @classmethod
    def of(cls, stored: Stored, lineage: Lineage | None, own: OwnAnswer | None, missing: Sequence[str]) -> Self:
        """Put together what ledger, tracker and model say."""
        record, labels = stored.record, own.labels if own else {}
        tags = lineage.version.tags if lineage and lineage.version else {}
        return cls(
            prediction_id=record.id,
            at=record.created_at,
            user=stored.username or record.user_id,
            designation=record.designation,
            description=record.description,
            code=record.predicted_code,
            label=labels.get(record.predicted_code),
            confidence=record.confidence,
            abstained=record.abstained,
            novelty=record.novelty,
            language=record.language,
            model_name=record.model_name,
            model_version=record.model_version,
            bento=tags.get("bento_tag"),
            pipeline_run=tags.get("bento_run"),
            training=lineage.training if lineage else None,
            record=lineage.record if lineage else None,
            decision=lineage.decision if lineage else None,
            pages=lineage.pages if lineage else {},
            moves=lineage.moves if lineage else [],
            reviews=[
                Review(
                    code=given.correct_code, label=labels.get(given.correct_code), role=given.role,
                    trusted=given.role in TRUSTED_ROLES, given_by=given.username or given.user_id,
                    given_at=given.given_at,
                )
                for given in stored.feedback
            ],
            supporting=own.supporting if own else [],
            opposing=own.opposing if own else [],
            reproduced=own.repeats(record) if own else None,
            difference=own.confidence - record.confidence if own else None,
            answer_today=own.code if own else None,
            missing=[*missing, *_doubts(stored, own)],
        )  # fmt: skip


def show(why: Why) -> None:
    """Print the answer as a table, and how to open the pages about the version."""
    show_rows({name: value for name, value in _rows(why) if value})
    if why.pages:
        show_next((f"the {what} in the tracker", f"xdg-open {shlex.quote(page)}") for what, page in why.pages.items())


def _doubts(stored: Stored, own: OwnAnswer | None) -> Iterator[str]:
    if own and stored.record.created_at < datetime.fromisoformat(own.registered_at):
        yield (
            f"The registry's version {own.number} is younger than this prediction: the registry was begun anew, and "
            "another model of that number gave the answer."
        )


def _rows(why: Why) -> Iterator[tuple[str, str]]:
    yield "Prediction", f"{_plain(why.prediction_id)}, {_time(why.at)}, for {_plain(why.user)}"
    yield "Title", _plain(why.designation)
    yield "Description", _plain(why.description or "")
    yield "Answer", f"{_type(why.code, why.label)}, confidence {why.confidence:.4f}, language {_plain(why.language)}"
    yield "Abstained", "yes: a person should check it" if why.abstained else "no"
    if why.novelty:
        yield "Novelty", "the listing looks like nothing the model has learned from"
    yield "Words for it", _terms(why.supporting)
    yield "Words against", _terms(why.opposing)
    yield "Reproduced", _reproduced(why)
    yield "Reviews", "\n".join(map(_review, why.reviews)) or "none"
    yield "Version", f"{_plain(why.model_version)} of '{_plain(why.model_name)}'"
    yield "Bento", why.bento or ""
    if why.training:
        yield from _training_rows(why.training)
    if why.record:
        yield from _record_rows(why.record)
    yield "Decision", _plain(why.decision or "", 1_000)
    yield "Production", "\n".join(_move(entry, why.model_version) for entry in why.moves)
    yield "Not there", "\n".join(_plain(sentence, 1_000) for sentence in why.missing)


def _training_rows(training: Training) -> Iterator[tuple[str, str]]:
    candidate = f", candidate {training.parameters['candidate']}" if "candidate" in training.parameters else ""
    yield "Training", f"run {training.run_id} ({training.name}), {_time(training.began_at)}{candidate}"
    if training.data_hash:
        yield "Data", f"{training.data_hash}{f', {training.source} listings' if training.source else ''}"
    changes = "" if training.clean else ", with changes that were not committed"
    yield "Revision", f"git commit {training.commit}{changes}" if training.commit else "not recorded"
    if training.lock_hash and training.lock_file:
        yield "Libraries", f"{training.lock_file}, SHA-256 {training.lock_hash}"


def _record_rows(record: TrainingRecord) -> Iterator[tuple[str, str]]:
    feedback = f", with {record.feedback_rows:,} rows of feedback" if record.feedback_rows else ""
    where = f" in {record.source.directory}" if record.source.directory else ""
    yield "Rows", f"artifact {record.listings.id}, from {record.source.describe()}{_plain(where)}{feedback}"
    if champion := record.champion:
        new = " (in production; a new baseline was asked for)" if record.recipe.get("new_baseline") else ""
        yield "Champion", f"version {champion.number}, run {champion.run_id}{new}"
    else:
        yield "Champion", "none was in production"


def _reproduced(why: Why) -> str:
    if why.reproduced is None or why.difference is None or why.answer_today is None:
        return "not known: the model of that version could not be asked"
    if why.answer_today != why.code:
        return f"no: the model of that version answers code {why.answer_today} today"
    difference = f"the same code, the confidence differs by {abs(why.difference):.2g}"
    return f"{'yes' if why.reproduced else 'no'}: {difference}"


def _move(entry: Entry, number: str) -> str:
    if entry.after == number:
        before = f" (before: version {entry.before})" if entry.before else ""
        what = f"{entry.event} into production{before}"
    else:
        what = f"left production by a {entry.event}: version {entry.after} took over"
    return f"{_time(entry.at)}  {what}"


def _review(review: Review) -> str:
    return f"{_time(review.given_at)}  {_type(review.code, review.label)}, {review.role} {_plain(review.given_by)}"


def _terms(terms: Iterable[Term]) -> str:
    return "\n".join(f"{term.contribution:+.3f}  {_plain(term.term)} ({term.field})" for term in terms)


def _type(code: int, label: str | None) -> str:
    return f"{_plain(label)} ({code})" if label else f"code {code}"


def _time(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S} UTC"


def _plain(text: str, most: int = _SHOWN) -> str:
    """Return a text in one line, shortened, without what would control the terminal."""
    line = "".join(character if character.isprintable() else " " for character in text)
    return line if len(line) <= most else f"{line[:most]}…"
