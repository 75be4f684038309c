"""Sentences of the services, which are in English whatever the language of the page is."""

from html import escape

import streamlit as st


def show_words(sentence: str) -> None:
    """Draw a sentence of a service as it is, marked as English for screen readers."""
    st.html(f'<p lang="en">{escape(sentence[:1].upper() + sentence[1:])}</p>')
