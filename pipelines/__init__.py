"""The pipelines, each to be read like a table of contents."""
