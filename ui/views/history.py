"""The page with what a user has asked so far: to read, to take away, to erase."""

from collections.abc import Iterator

import pandas as pd
import streamlit as st
from streamlit.elements.lib.column_types import ColumnConfig

from ui import confirmation, failures, session
from ui.i18n import Messages, language, moment
from ui.listings.writing import csv_bytes
from ui.services.prediction import StoredPrediction

text = Messages("history")
_ROWS = 25
_MOST_ROWS = 200  # in one answer of the service
_CURSORS = "history_cursors"  # where each page before this one, and this one, begins
_FILE = "history_file"
_ERASE = "history_erase_question"


def page() -> None:
    """Draw one page of the answers, and what can be done with all of them."""
    st.title(text("title"))
    st.write(text("intro"))
    cursors: list[str | None] = st.session_state.setdefault(_CURSORS, [None])
    found = session.prediction().my_predictions(limit=_ROWS, before=cursors[-1])
    if not found["items"] and len(cursors) == 1:
        st.info(text("nothing"))
        return
    st.dataframe(_table(found["items"]), hide_index=True, alt=text("title"), column_config=_config(), height="content")
    _draw_steps(cursors, found["next"])
    st.header(text("all"), anchor=False)
    with st.container(horizontal=True):
        _draw_export()
        st.button(
            text("erase"), icon=":material/delete:", key="history_erase", on_click=confirmation.ask, args=(_ERASE,)
        )
    confirmation.show(_ERASE, text("erase"), _confirm)


def _draw_steps(cursors: list[str | None], following: str | None) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        if st.button(text("newer"), disabled=len(cursors) == 1, key="history_newer", icon=":material/chevron_left:"):
            cursors.pop()
            st.rerun()
        st.markdown(text("page", page=len(cursors)), width="content")
        if st.button(text("older"), disabled=following is None, key="history_older", icon=":material/chevron_right:"):
            cursors.append(following)
            st.rerun()


def _draw_export() -> None:
    """Draw the button that reads all answers, and then the one that takes the file."""
    content: bytes | None = st.session_state.get(_FILE)
    if content is not None:
        st.download_button(
            text("download"), content, file_name="history.csv", mime="text/csv", icon=":material/download:",
            type="primary", on_click=_forget_file,
        )  # fmt: skip
    elif st.button(text("export"), icon=":material/download:", key="history_export"):
        with st.spinner(text("exporting")):
            rows = pd.DataFrame([_row(item) for item in _everything()])
            st.session_state[_FILE] = csv_bytes(rows, "," if language() == "en" else ";")
        st.rerun()


def _forget_file() -> None:
    st.session_state.pop(_FILE, None)


def _confirm() -> None:
    st.write(text("erase_what"))
    if not st.button(text("erase_confirm"), type="primary", key="history_erase_confirm"):
        return
    with failures.shown():
        erased = session.prediction().erase_my_predictions()
        st.session_state.pop(_CURSORS, None)
        _forget_file()
        confirmation.close()
        st.toast(text("erased", count=erased))
        st.rerun()


def _everything() -> Iterator[StoredPrediction]:
    service, cursor = session.prediction(), None
    while True:
        found = service.my_predictions(limit=_MOST_ROWS, before=cursor)
        yield from found["items"]
        cursor = found["next"]
        if cursor is None:
            return


def _table(items: list[StoredPrediction]) -> pd.DataFrame:
    return pd.DataFrame([
        {
            "when": moment(item["created_at"]),
            "title": item["designation"],
            "type": _type(item),
            "confidence": item["confidence"],
            "uncertain": item["abstained"],
            "said": _said(item),
        }
        for item in items
    ])  # fmt: skip


def _config() -> dict[str, ColumnConfig]:
    columns = st.column_config
    return {
        "when": columns.TextColumn(text("column_when"), width="small"),
        "title": columns.TextColumn(text("column_title"), width="large"),
        "type": columns.TextColumn(text("column_type")),
        "confidence": columns.ProgressColumn(text("column_confidence"), format="percent", min_value=0, max_value=1),
        "uncertain": columns.CheckboxColumn(text("column_uncertain"), width="small"),
        "said": columns.TextColumn(text("column_said")),
    }


def _row(item: StoredPrediction) -> dict[str, object]:
    """Return an answer as a row of the exported file, whose columns have the service's names."""
    return {
        "created_at": item["created_at"],
        "designation": item["designation"],
        "description": item.get("description", ""),
        "predicted_class": item.get("predicted_class", ""),
        "predicted_code": item["predicted_code"],
        "confidence": item["confidence"],
        "abstained": item["abstained"],
        "language": item["language"],
        "model_version": item["model_version"],
        "feedback": _said(item),
        "prediction_id": item["prediction_id"],
    }


def _type(item: StoredPrediction) -> str:
    return item.get("predicted_class") or str(item["predicted_code"])


def _said(item: StoredPrediction) -> str:
    return ", ".join(given.get("correct_label") or str(given["correct_code"]) for given in item["feedback"])
