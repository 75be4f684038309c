"""The files that a user takes away."""

from pathlib import PurePath

import streamlit as st

from ui import model
from ui.i18n import Messages, language
from ui.listings.catalogue import Catalogue
from ui.listings.writing import csv_bytes, excel_bytes

text = Messages("catalogue")


def draw(catalogue: Catalogue) -> None:
    """Draw the buttons. A file is written when its button is pressed."""
    problems = {kind: text(f"problem_{kind}") for kind in ("blank_title", "nul", "long_title", "long_description")}
    labels = model.served().labels
    name = PurePath(catalogue.table.name).stem
    separator = catalogue.table.separator or ("," if language() == "en" else ";")
    with st.container(horizontal=True):
        st.download_button(
            text("download_csv"), lambda: csv_bytes(catalogue.result(problems, labels), separator),
            file_name=f"{name}-types.csv", mime="text/csv", icon=":material/download:", on_click="ignore",
        )  # fmt: skip
        st.download_button(
            text("download_excel"), lambda: excel_bytes(catalogue.result(problems, labels), "types"),
            file_name=f"{name}-types.xlsx", icon=":material/download:", on_click="ignore",
            mime="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        )  # fmt: skip
    st.caption(text("download_note"))
