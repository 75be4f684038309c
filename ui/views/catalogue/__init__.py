"""The page on which a whole catalogue is classified: from the file over the columns to the corrected answers."""

import streamlit as st

from ui.i18n import Messages
from ui.views.catalogue import answers, choosing, held, reading

text = Messages("catalogue")


def page() -> None:
    """Draw the step at which the catalogue of this session is."""
    st.title(text("title"))
    catalogue = held.catalogue()
    if catalogue is None:
        reading.draw()
    elif catalogue.job is None:
        choosing.draw(catalogue)
    else:
        answers.draw(catalogue, catalogue.job)
