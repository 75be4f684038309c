"""The versions of a model as ZenML's dashboard shows them. The MLflow registry decides; ZenML mirrors it."""

from zenml.client import Client


def show_in_production(model: str, version: str) -> bool:
    """Mark a version as the one in production; return false when ZenML does not have this version any more."""
    try:
        Client().get_model_version(model, version).to_model_class().set_stage("production", force=True)
    except KeyError:
        return False
    return True
