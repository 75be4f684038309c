"""The tables of the ledger. Times are in UTC, and know it, whatever the database keeps."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import JSON, DateTime, Dialect, ForeignKey, Index, String, Text, TypeDecorator
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Moment(TypeDecorator[datetime]):
    """A time in UTC; SQLite keeps no zone, so it is put back when read."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Turn a time of any zone into UTC; one without a zone is a mistake."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"a time without a zone: {value}")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Give the time its zone back."""
        if value is None:
            return None
        return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)


class Words(TypeDecorator[str]):
    """Text of any length, with U+FFFD for what PostgreSQL or UTF-8 cannot hold: NUL and halves of surrogate pairs."""

    impl: type[String] = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """Replace what cannot be stored. A search for such a text thereby finds what was stored of it."""
        if value is None:
            return None
        if not value.isascii():
            value = value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        return value.replace("\0", "\N{REPLACEMENT CHARACTER}")


class Name(Words):
    """Text of a limited length."""

    impl = String
    cache_ok = True


class Base(DeclarativeBase):
    """The ledger's metadata."""


class User(Base):
    """Who may come in. A deleted user's row stays for as long as its tokens might live, so that they can be refused."""

    __tablename__ = "users"

    username: Mapped[str] = mapped_column(Name(64), primary_key=True)
    password_hash: Mapped[str] = mapped_column(Name(255))
    role: Mapped[str] = mapped_column(Name(20))
    valid_from: Mapped[datetime] = mapped_column(Moment)  # tokens from before are void
    created_at: Mapped[datetime] = mapped_column(Moment)
    deleted_at: Mapped[datetime | None] = mapped_column(Moment)


class Prediction(Base):
    """An answer that the service gave, with the listing it was asked about."""

    __tablename__ = "predictions"

    id: Mapped[str] = mapped_column(Name(36), primary_key=True)
    username: Mapped[str] = mapped_column(Name(64))
    designation: Mapped[str] = mapped_column(Words)
    description: Mapped[str | None] = mapped_column(Words)
    predicted_code: Mapped[int]
    confidence: Mapped[float]
    abstained: Mapped[bool]
    language: Mapped[str] = mapped_column(Name(8))
    model_name: Mapped[str] = mapped_column(Name(100))
    model_version: Mapped[str] = mapped_column(Name(20))
    created_at: Mapped[datetime] = mapped_column(Moment, index=True)

    __table_args__ = (
        Index("ix_predictions_of_user", "username", "created_at"),
        Index("ix_predictions_to_review", "model_name", "abstained", "confidence"),
    )


class Feedback(Base):
    """A person's word on the type of a predicted listing. `role` is the one held when it was given."""

    __tablename__ = "feedback"

    id: Mapped[int] = mapped_column(primary_key=True)
    prediction_id: Mapped[str] = mapped_column(ForeignKey("predictions.id", ondelete="CASCADE"), index=True)
    correct_code: Mapped[int]
    given_by: Mapped[str] = mapped_column(Name(64))
    role: Mapped[str] = mapped_column(Name(20))
    given_at: Mapped[datetime] = mapped_column(Moment)


class Audit(Base):
    """Who did what to whom. Never holds a listing's text nor a password."""

    __tablename__ = "audit"

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(Moment, index=True)
    actor: Mapped[str] = mapped_column(Name(64))
    event: Mapped[str] = mapped_column(Name(64))
    subject: Mapped[str] = mapped_column(Name(200))
    detail: Mapped[dict[str, Any]] = mapped_column(JSON)


class LoginAttempt(Base):
    """An attempt to log in. `subject` is a digest of who or where: people type passwords into the name's field."""

    __tablename__ = "login_attempts"

    id: Mapped[int] = mapped_column(primary_key=True)
    subject: Mapped[str] = mapped_column(Name(64))
    at: Mapped[datetime] = mapped_column(Moment)

    __table_args__ = (Index("ix_login_attempts_of_subject", "subject", "at"),)


class Receipt(Base):
    """The answer that a request with an idempotency key got; a repetition gets the same."""

    __tablename__ = "receipts"

    owner: Mapped[str] = mapped_column(Name(64), primary_key=True)
    key: Mapped[str] = mapped_column(Name(200), primary_key=True)
    fingerprint: Mapped[str] = mapped_column(Name(64))
    status: Mapped[int]
    body: Mapped[str] = mapped_column(Words)
    created_at: Mapped[datetime] = mapped_column(Moment, index=True)
