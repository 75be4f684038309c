"""What a cached step's answer depends on besides its inputs and parameters: the code that computes it."""

import hashlib
from collections.abc import Iterable
from pathlib import Path

from zenml.config.cache_policy import CachePolicy

SOURCE_ROOT = Path(__file__).resolve().parents[1]

TEXT = ("catalog/text.py", "catalog/language.py")
SYNTHETIC = ("catalog/synthetic.py", "catalog/synthetic_vocabulary.py")
READING = (*SYNTHETIC, "catalog/contract.py", "catalog/listings.py", "steps/ingest.py")
CHECKING = ("catalog/contract.py", "steps/check.py", "steps/quality.py")
CONSOLIDATING = (*TEXT, "catalog/contract.py", "catalog/listings.py", "steps/consolidate.py")
TRAINING = (
    *TEXT, "catalog/blocks.py", "catalog/features.py", "catalog/classifier.py", "catalog/model_folder.py",
    "steps/train.py",
)  # fmt: skip
EVALUATING = (*TRAINING, "catalog/evaluation.py", "steps/evaluate.py", "steps/reports.py")


def depends_on(files: Iterable[str]) -> CachePolicy:
    """Return a policy under which a step runs again when one of these files (from the source root) changes."""
    return CachePolicy(file_dependencies=sorted(set(files)))


def digest_of(files: Iterable[str]) -> str:
    """Return one SHA-256 over the names and contents of these files (from the source root)."""
    digest = hashlib.sha256()
    for name in sorted(set(files)):
        digest.update(name.encode() + b"\0" + (SOURCE_ROOT / name).read_bytes() + b"\0")
    return digest.hexdigest()
