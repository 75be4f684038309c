"""Checks of data: the data contract with Great Expectations, drift with Evidently."""
