"""Which packages are installed is asked once, however many tables a run stores."""

import importlib.metadata

import pandas as pd
import pytest
from zenml.utils.source_utils import resolve

from stacks.packages import remember_packages


def test_zenml_asks_once_which_packages_are_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def installed() -> dict[str, list[str]]:
        asked.append(True)
        return {"pandas": ["pandas"]}

    monkeypatch.setattr(importlib.metadata, "packages_distributions", installed)
    for _ in range(2):
        remember_packages()
        assert resolve(pd.DataFrame).type.value == "distribution_package"
    assert len(asked) == 1
