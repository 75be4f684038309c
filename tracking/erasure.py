"""Removing listings that users have erased from the reference windows in the tracker."""

import tempfile
from collections.abc import Collection
from pathlib import Path

import mlflow
import pandas as pd
from mlflow.exceptions import MlflowException

from tracking.evaluation_run import REFERENCE_FILE

_KEY = "prediction_id"


def is_erased(table: pd.DataFrame, erased: Collection[str]) -> "pd.Series[bool]":
    """Return for each row of a table of listings or feedback whether it comes from an erased prediction.

    In a table without these ids, which an earlier version wrote, every row from feedback may come from one.
    """
    if _KEY in table:
        return table[_KEY].isin(list(erased))
    return table["origin"] != "listing" if "origin" in table else pd.Series(True, index=table.index)


def erase_from_reference(run_id: str, erased: Collection[str], *, dry_run: bool = False) -> int:
    """Remove the rows of erased predictions from the reference window of a run and return how many.

    A run without a reference window has none. Raises `MlflowException` when the window cannot be replaced.
    """
    client = mlflow.MlflowClient()
    try:
        names = {entry.path for entry in client.list_artifacts(run_id)}
    except MlflowException:
        return 0
    if REFERENCE_FILE not in names:
        return 0
    with tempfile.TemporaryDirectory() as folder:
        path = Path(client.download_artifacts(run_id, REFERENCE_FILE, folder))
        window = pd.read_parquet(path)
        gone = is_erased(window, erased)
        if gone.any() and not dry_run:
            window[~gone].to_parquet(path, compression="zstd", index=False)
            client.log_artifact(run_id, str(path))
    return int(gone.sum())
