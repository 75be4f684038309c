"""The versions of a model as ZenML's dashboard shows them. The MLflow registry decides; ZenML mirrors it."""

from zenml.client import Client


def show_in_production(model: str, version: str) -> bool:
    """Mark a version as the one in production; return false when ZenML does not have this version any more."""
    try:
        Client().get_model_version(model, version).to_model_class().set_stage("production", force=True)
    except KeyError:
        return False
    return True


def recorded_with(model: str, version: str | None, key: str) -> str | None:
    """Return what ZenML has under a key beside its version of a model; None without this version or record."""
    if version is None or not version.isdecimal():
        return None
    try:
        found = Client().get_model_version(model, version).run_metadata.get(key)
    except KeyError:
        return None
    return str(found) if found else None
