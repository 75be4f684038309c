"""A key that moves the focus to a field, which Streamlit's shortcuts of buttons cannot do."""

import streamlit as st

_SCRIPT = """
export default function ({ data }) {
  const focus = (event) => {
    if (event.key.toLowerCase() !== data.key || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.closest("input, textarea, select, [contenteditable], [role=dialog]")) return;
    const field = document.querySelector(data.field);
    if (!field) return;
    event.preventDefault();
    field.focus();
  };
  document.addEventListener("keydown", focus);
  return () => document.removeEventListener("keydown", focus);
}
"""


def focus_on_key(key: str, field: str) -> None:
    """Let a key focus the field of a CSS selector, except while somebody types."""
    st.components.v2.component("focus_on_key", js=_SCRIPT)(
        data={"key": key.lower(), "field": field}, key="focus_on_key"
    )
