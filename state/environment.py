"""Environment variables: those that keep the libraries quiet, and what every process of ours must read alike."""

from collections.abc import Mapping
from pathlib import Path

# No telemetry, and warnings only.
QUIET = {
    "ZENML_ANALYTICS_OPT_IN": "false",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "BENTOML_DO_NOT_TRACK": "True",
    "GX_ANALYTICS_ENABLED": "false",
    "DO_NOT_TRACK": "1",
    "ZENML_ENABLE_RICH_TRACEBACK": "false",
    "MLFLOW_LOGGING_LEVEL": "ERROR",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "GIT_PYTHON_REFRESH": "quiet",
}
_FOLDERS = ("STATE_DIR", "MODEL_DIR", "ZENML_CONFIG_PATH", "BENTOML_HOME", "AIRFLOW_DAGS")
_PROXIES = ("http_proxy", "https_proxy", "all_proxy")
_OWN = ("localhost", "127.0.0.1", "::1")  # addresses of this machine


def absolute_folders(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that name a folder by a relative path, each as it is seen from the working folder.

    Processes with other working folders would read another one.
    """
    given = ((name, environment[name]) for name in _FOLDERS if environment.get(name))
    return {name: str(Path(value).expanduser().absolute()) for name, value in given if "://" not in value}


def past_the_proxy(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the variables by which no library asks a proxy for an address of this machine. None without a proxy."""
    if not any(environment.get(name) or environment.get(name.upper()) for name in _PROXIES):
        return {}
    given = environment.get("no_proxy") or environment.get("NO_PROXY") or ""
    names = [name for name in (each.strip() for each in given.split(",")) if name]
    if "*" not in names:
        names += [own for own in _OWN if own not in names]
    return dict.fromkeys(("no_proxy", "NO_PROXY"), ",".join(names))
