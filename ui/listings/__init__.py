"""Catalogues: read from files, checked, sent in pieces, and written again. Nothing here knows Streamlit."""
