"""Catalogues of any size, scored by the packaged model: shards, their journal, processes here or on an engine."""
