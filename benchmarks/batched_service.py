"""The prediction service without direct inserts, for a comparison: it stores every request in a batch."""

from unittest.mock import patch

from bento.service import ProductTypes

__all__ = ["ProductTypes"]

patch("ledger.writer.commits_at_once", return_value=False).start()
