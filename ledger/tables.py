"""The tables of the ledger. All times are timezone-aware (UTC), whatever the database stores."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    DateTime,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    String,
    Text,
    TypeDecorator,
    false,
    text,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class UtcDateTime(TypeDecorator[datetime]):
    """A time in UTC. SQLite stores no time zone, so it is added when a value is read."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Convert a time of any zone to UTC. Raises `ValueError` for one without a zone."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"a time without a zone: {value}")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return the time with its zone."""
        if value is None:
            return None
        return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)


class StorableText(TypeDecorator[str]):
    """Text of any length. U+FFFD replaces what PostgreSQL or UTF-8 cannot store: NUL and lone surrogates."""

    impl: type[String] = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """Replace what cannot be stored; in a search too, so that it finds the stored text."""
        if value is None:
            return None
        try:
            value.encode()  # a tenth of the time for the line below
        except UnicodeEncodeError:
            value = value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        return value.replace("\0", "\N{REPLACEMENT CHARACTER}")


class ShortText(StorableText):
    """Text of a limited length."""

    impl = String
    cache_ok = True


# The code of a product type has 64 bits in both databases; SQLite's INTEGER always has.
ProductCode = BigInteger().with_variant(Integer, "sqlite")


_TO_REVIEW = "review_state IS NULL"
SAMPLED = "substr(id, 36, 1) = '0'"  # `ledger.sampling`


def _partial_index(name: str, *columns: str, where: str) -> Index:
    return Index(name, *columns, sqlite_where=text(where), postgresql_where=text(where))


class Base(DeclarativeBase):
    """The ledger's metadata. What a user did carries the user's id: a name can be given again after its deletion."""


class UserRow(Base):
    """A user. The row of a deleted user stays for as long as tokens of that user may live, to refuse them.

    `generation`: tokens of earlier generations are void. It is a number and no time, so that it needs no right clock.
    """

    __tablename__ = "users"

    id: Mapped[str] = mapped_column(ShortText(36), primary_key=True)
    username: Mapped[str] = mapped_column(ShortText(64))
    password_hash: Mapped[str] = mapped_column(ShortText(255))
    role: Mapped[str] = mapped_column(ShortText(20))
    generation: Mapped[int]
    voided_at: Mapped[datetime] = mapped_column(UtcDateTime)  # when the generation began
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    deleted_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    __table_args__ = (  # of the users that are not deleted each has a name of its own
        Index(
            "ix_users_of_name", "username", unique=True,
            sqlite_where=text("deleted_at IS NULL"), postgresql_where=text("deleted_at IS NULL"),
        ),
    )  # fmt: skip


class PredictionRow(Base):
    """An answer of the service, with the listing that it is about.

    `novelty`: the answer said that the listing looks like nothing the model has learned from.
    `review_state`: None: to be reviewed; `second`: a second reviewer is wanted; `done`. `withdrawn_at`: when feedback
    on it was last taken back; a training may have copied the listing before.
    """

    __tablename__ = "predictions"

    id: Mapped[str] = mapped_column(ShortText(36), primary_key=True)
    user_id: Mapped[str] = mapped_column(ShortText(64))
    designation: Mapped[str] = mapped_column(StorableText)
    description: Mapped[str | None] = mapped_column(StorableText)
    predicted_code: Mapped[int] = mapped_column(ProductCode)
    confidence: Mapped[float]
    abstained: Mapped[bool]
    novelty: Mapped[bool] = mapped_column(server_default=false())
    language: Mapped[str] = mapped_column(ShortText(8))
    model_name: Mapped[str] = mapped_column(ShortText(100))
    model_version: Mapped[str] = mapped_column(ShortText(20))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    review_state: Mapped[str | None] = mapped_column(ShortText(8))
    withdrawn_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    # What is reviewed leaves the index of what is not, so that the next listing is always at its beginning. The
    # conditions are repeated word by word in `ledger.review_queue`: a database compares them, and does not reason.
    __table_args__ = (
        Index("ix_predictions_of_user", "user_id", "created_at"),
        _partial_index("ix_predictions_to_review", "model_name", "abstained", "confidence", where=_TO_REVIEW),
        _partial_index("ix_predictions_sampled", "model_name", "created_at", where=f"{_TO_REVIEW} AND {SAMPLED}"),
        _partial_index(
            "ix_predictions_reviewed", "model_name", "review_state", "created_at", where="review_state IS NOT NULL"
        ),
    )


class FeedbackRow(Base):
    """A user's statement of the right type of a predicted listing. `given_by`: the user's id, `role`: the role then."""

    __tablename__ = "feedback"

    id: Mapped[int] = mapped_column(primary_key=True)
    prediction_id: Mapped[str] = mapped_column(ForeignKey("predictions.id", ondelete="CASCADE"), index=True)
    correct_code: Mapped[int] = mapped_column(ProductCode)
    given_by: Mapped[str] = mapped_column(ShortText(64))
    role: Mapped[str] = mapped_column(ShortText(20))
    given_at: Mapped[datetime] = mapped_column(UtcDateTime)

    __table_args__ = (Index("ix_feedback_of_giver", "given_by", "id"),)


class HoldRow(Base):
    """A user reviews a listing: until `held_until` nobody else is offered it."""

    __tablename__ = "review_holds"

    prediction_id: Mapped[str] = mapped_column(ForeignKey("predictions.id", ondelete="CASCADE"), primary_key=True)
    held_by: Mapped[str] = mapped_column(ShortText(64))
    held_until: Mapped[datetime] = mapped_column(UtcDateTime)

    __table_args__ = (Index("ix_review_holds_of_user", "held_by", "held_until"),)


class SkipRow(Base):
    """A user does not want to review a listing."""

    __tablename__ = "review_skips"

    user_id: Mapped[str] = mapped_column(ShortText(64), primary_key=True)
    prediction_id: Mapped[str] = mapped_column(
        ForeignKey("predictions.id", ondelete="CASCADE"), primary_key=True, index=True
    )


class AuditRow(Base):
    """Who did what to whom, with the ids beside the names. Never holds the text of a listing or a password."""

    __tablename__ = "audit"

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    actor: Mapped[str] = mapped_column(ShortText(64))
    actor_id: Mapped[str | None] = mapped_column(ShortText(36))
    event: Mapped[str] = mapped_column(ShortText(64))
    subject: Mapped[str] = mapped_column(ShortText(200))
    subject_id: Mapped[str | None] = mapped_column(ShortText(36))
    detail: Mapped[dict[str, Any]] = mapped_column(JSON)


class LoginAttemptRow(Base):
    """An attempt to log in. `subject` is a digest of name and address: people type passwords into the name's field."""

    __tablename__ = "login_attempts"

    id: Mapped[int] = mapped_column(primary_key=True)
    subject: Mapped[str] = mapped_column(ShortText(64))
    at: Mapped[datetime] = mapped_column(UtcDateTime)

    __table_args__ = (Index("ix_login_attempts_of_subject", "subject", "at"),)


class KnownLoginRow(Base):
    """A user logged in from an address. `subject` is a digest of the user's id and the address."""

    __tablename__ = "known_logins"

    subject: Mapped[str] = mapped_column(ShortText(64), primary_key=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)


class ReceiptRow(Base):
    """The answer to a request with an idempotency key; the same request sent again gets this answer.

    `owner`: the id of the user who sent it.
    """

    __tablename__ = "receipts"

    owner: Mapped[str] = mapped_column(ShortText(64), primary_key=True)
    key: Mapped[str] = mapped_column(ShortText(200), primary_key=True)
    fingerprint: Mapped[str] = mapped_column(ShortText(64))
    status: Mapped[int]
    body: Mapped[str] = mapped_column(StorableText)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
