from pathlib import Path

import pytest

from tests.system.workspace import Workspace


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """An empty state folder of the test's own."""
    return Workspace(tmp_path)
