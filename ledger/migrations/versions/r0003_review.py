"""Reviews have a state, and people who review hold and skip listings."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

_TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Mark what reviewers have looked at, index what they have not, and create holds and skips."""
    op.add_column("predictions", sa.Column("review_state", sa.String(8)))
    op.add_column("predictions", sa.Column("withdrawn_at", _TIME))
    op.execute(
        "UPDATE predictions SET review_state = 'done' WHERE id IN "
        "(SELECT prediction_id FROM feedback WHERE role IN ('reviewer', 'admin'))"
    )
    op.drop_index("ix_predictions_to_review", "predictions")
    _partial_index("ix_predictions_to_review", ["model_name", "abstained", "confidence"], "review_state IS NULL")
    _partial_index(
        "ix_predictions_sampled", ["model_name", "created_at"], "review_state IS NULL AND substr(id, 36, 1) = '0'"
    )
    _partial_index("ix_predictions_reviewed", ["model_name", "review_state", "created_at"], "review_state IS NOT NULL")
    op.create_index("ix_feedback_of_giver", "feedback", ["given_by", "id"])
    op.create_table(
        "review_holds",
        sa.Column("prediction_id", sa.String(36), _prediction(), primary_key=True),
        sa.Column("held_by", sa.String(64), nullable=False),
        sa.Column("held_until", _TIME, nullable=False),
    )
    op.create_index("ix_review_holds_of_user", "review_holds", ["held_by", "held_until"])
    op.create_table(
        "review_skips",
        sa.Column("user_id", sa.String(64), primary_key=True),
        sa.Column("prediction_id", sa.String(36), _prediction(), primary_key=True),
    )
    op.create_index("ix_review_skips_prediction_id", "review_skips", ["prediction_id"])


def _prediction() -> sa.ForeignKey:
    return sa.ForeignKey("predictions.id", ondelete="CASCADE")


def _partial_index(name: str, columns: list[str], where: str) -> None:
    condition = sa.text(where)
    op.create_index(name, "predictions", columns, sqlite_where=condition, postgresql_where=condition)
