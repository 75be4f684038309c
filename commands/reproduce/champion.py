"""The other side of the comparison: the version that was in production when a version was compared."""

import pandas as pd

from commands.reproduce.gone import GoneError
from commands.reproduce.recorded import Recorded
from stacks.model_versions import recorded_with
from tracking.champion import ChampionError, predict_with_own_code
from tracking.registry import FILES_KEY, find_number


def champion_answers(recorded: Recorded, rows: pd.DataFrame, python: str) -> pd.DataFrame:
    """Return the answers of the recorded champion on listings: `text_key` and `predicted_code`.

    It is asked with its own code, if model and code are as ZenML has recorded them. Raises `GoneError`.
    """
    champion = recorded.record.champion
    assert champion is not None, "a version that was compared has a champion"
    version = find_number(recorded.name, champion.number)
    if version is None:
        raise GoneError(f"The registry no longer has version {champion.number}, with which it was compared.")
    if version.run_id != champion.run_id:
        raise GoneError(
            f"Version {champion.number} in the registry is another one than that with which it was compared: it is "
            f"from run {version.run_id}, and recorded is run {champion.run_id}."
        )
    files = recorded_with(recorded.name, version.tags.get("mirror"), FILES_KEY)
    try:
        codes = predict_with_own_code(version.model_copy(update={"files": files}), rows, python)
    except ChampionError as error:
        raise GoneError(f"The version with which it was compared cannot be asked: {error}.") from error
    return pd.DataFrame({"text_key": rows["text_key"].to_numpy(), "predicted_code": codes})
