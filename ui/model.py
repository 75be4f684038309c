"""The model that is served: its types, as the services name them. Asked once in a few minutes for each session."""

from dataclasses import dataclass
from time import monotonic

import streamlit as st

from ui import session
from ui.services.prediction import ModelInfo

_STATE = "model"
_SECONDS = 300


@dataclass(frozen=True)
class Model:
    """The served model. `labels`: label by code, sorted by label."""

    version: str
    labels: dict[int, str]
    threshold: float | None
    asked_at: float

    @property
    def codes(self) -> dict[str, int]:
        """Code by label. Labels of a taxonomy differ from each other."""
        return {label: code for code, label in self.labels.items()}


def served(version: str | None = None) -> Model:
    """Return the model that is served. `version`: the one that is served now, if known. Raises `ServiceError`."""
    known: Model | None = st.session_state.get(_STATE)
    if known and monotonic() - known.asked_at < _SECONDS and version in (None, known.version):
        return known
    found = _model(session.prediction().model_info())
    st.session_state[_STATE] = found
    return found


def _model(info: ModelInfo) -> Model:
    labels = {int(code): label for code, label in info["taxonomy"].items()}
    ordered = dict(sorted(labels.items(), key=lambda entry: entry[1].casefold()))
    return Model(info["version"], ordered, info["abstention_threshold"], monotonic())
