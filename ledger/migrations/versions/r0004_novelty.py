"""Answers about novel listings are marked; those before this revision said nothing about it."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Add the mark."""
    op.add_column("predictions", sa.Column("novelty", sa.Boolean, nullable=False, server_default=sa.false()))
