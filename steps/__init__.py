"""The steps of the pipelines: thin adapters from artifacts to the plain functions that do the work."""
