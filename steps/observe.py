"""The steps of monitoring up to its figures.

No text of a listing is copied from the ledger into the artifact store: a step hands on which rows are meant, and the
next one reads them again. So what a user has erased is erased, and a run every few minutes stores kilobytes.
"""

from datetime import UTC, datetime, timedelta
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field
from zenml import ArtifactConfig, log_metadata, step
from zenml.types import HTMLString

from catalog.agreement import Quality, QualityRules
from catalog.taxonomy import Taxonomy
from checks.drift import Drift, DriftRules
from ledger.windows import Window
from tracking.registry import RegisteredVersion
