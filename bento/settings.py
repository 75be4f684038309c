"""Where the service finds its model: the only reader of the environment here."""

import os
from pathlib import Path

_SOURCE_ROOT = Path(__file__).resolve().parents[1]


def model_folder() -> Path:
    """Return `MODEL_DIR`, or else the folder that is packaged beside the code."""
    return Path(os.environ.get("MODEL_DIR") or _SOURCE_ROOT / "model")
