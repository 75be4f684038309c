"""Questions to the components of a stack: one probe for each kind and engine."""

import os
from collections.abc import Callable
from typing import Any

import requests
from zenml.client import Client
from zenml.enums import StackComponentType
from zenml.models import ComponentResponse

_PATIENCE = 5  # seconds for a component to answer


class UnreachableError(RuntimeError):
    """A component does not answer as it must. The message completes a sentence that begins with its name."""


def probe(kind: StackComponentType, component: ComponentResponse) -> str:
    """Return what was seen of a component of the active stack. Raises `UnreachableError`."""
    return _PROBES.get(kind, _not_examined)(component)


def _not_examined(component: ComponentResponse) -> str:
    return f"flavor {component.flavor_name}, not examined"


def _orchestrator(component: ComponentResponse) -> str:
    probe = _ENGINES.get(component.flavor_name)
    return probe(component) if probe else _not_examined(component)


def _docker(_component: ComponentResponse) -> str:
    import docker
    from docker.errors import DockerException

    try:
        engine = docker.from_env(timeout=_PATIENCE)
        version = engine.version()["Version"]
        engine.close()
    except DockerException as error:
        raise UnreachableError(
            f"needs Docker, which does not answer ({_reason(error)}); start it, or name it in DOCKER_HOST"
        ) from None
    return f"Docker {version} answers"


def _airflow(component: ComponentResponse) -> str:
    folder = component.configuration.get("dag_output_dir") or ""
    if "://" in folder:
        return f"DAGs go to {folder}"
    if not os.path.isdir(folder) or not os.access(folder, os.W_OK):
        raise UnreachableError(f"delivers to the folder {folder or '(none named)'}, which is not writable")
    return f"DAGs go to {folder} (writable)"


def _kubernetes(_component: ComponentResponse) -> str:
    from kubernetes import client as kubernetes
    from kubernetes.config.config_exception import ConfigException
    from urllib3.exceptions import HTTPError

    orchestrator: Any = Client().active_stack.orchestrator
    try:
        api = kubernetes.VersionApi(orchestrator.get_kube_client())
        version = api.get_code(_request_timeout=_PATIENCE).git_version
    except (ConfigException, kubernetes.ApiException, HTTPError, RuntimeError) as error:
        raise UnreachableError(f"needs a Kubernetes cluster, which does not answer ({_reason(error)})") from None
    return f"Kubernetes {version} answers"


def _artifact_store(component: ComponentResponse) -> str:
    store: Any = Client().active_stack.artifact_store
    endpoint = (component.configuration.get("client_kwargs") or {}).get("endpoint_url")
    if endpoint:  # asked first, since the library itself tries for minutes
        _ask(endpoint)
    try:
        exists = component.flavor_name == "local" or store.exists(store.path)
    except (OSError, RuntimeError, ValueError) as error:  # PermissionError is an OSError
        raise UnreachableError(f"cannot be read at {store.path} ({_reason(error)})") from None
    if not exists:
        raise UnreachableError(f"is {store.path}, which does not exist or is not readable")
    return f"{store.path} (exists)"


def _experiment_tracker(component: ComponentResponse) -> str:
    from zenml.integrations.mlflow.experiment_trackers import MLFlowExperimentTracker

    tracker = Client().active_stack.experiment_tracker
    if not isinstance(tracker, MLFlowExperimentTracker):
        return _not_examined(component)
    address = str(tracker.get_tracking_uri(as_plain_text=False))
    if not address.startswith("http"):
        return address
    config = tracker.config
    name = (config.tracking_username, config.tracking_password)
    token = {"Authorization": f"Bearer {config.tracking_token}"} if config.tracking_token else {}
    answer = _ask(
        f"{address.rstrip('/')}/api/2.0/mlflow/experiments/search",
        json={"max_results": 1},
        headers=token,
        auth=(name[0], name[1]) if name[0] and name[1] else None,
        verify=not config.tracking_insecure_tls,
    )
    if answer.status_code != 200:
        why = "refuses the credentials" if answer.status_code in (401, 403) else f"answers {answer.status_code}"
        raise UnreachableError(f"at {address} {why}")
    return f"{address} (answers)"


def _container_registry(component: ComponentResponse) -> str:
    address = str(component.configuration.get("uri", ""))
    host = address.split("/")[0]
    for scheme in ("https", "http"):  # Docker decides itself which registries it uses without TLS
        try:
            _ask(f"{scheme}://{host}/v2/")
            return f"{address} (answers)"
        except UnreachableError as error:
            last = error
    raise last


def _ask(address: str, **options: Any) -> requests.Response:
    method = "POST" if "json" in options else "GET"
    try:
        return requests.request(method, address, timeout=_PATIENCE, **options)
    except requests.RequestException as error:
        raise UnreachableError(f"does not answer at {address} ({_reason(error)})") from None


def _reason(error: BaseException) -> str:
    """Return the innermost cause in one line: libraries wrap a refused connection several times."""
    while cause := error.__cause__ or error.__context__:
        error = cause
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200]


_ENGINES: dict[str, Callable[[ComponentResponse], str]] = {
    "local": lambda _component: "runs in this process",
    "local_docker": _docker,
    "airflow": _airflow,
    "kubernetes": _kubernetes,
}
_PROBES: dict[StackComponentType, Callable[[ComponentResponse], str]] = {
    StackComponentType.ORCHESTRATOR: _orchestrator,
    StackComponentType.ARTIFACT_STORE: _artifact_store,
    StackComponentType.EXPERIMENT_TRACKER: _experiment_tracker,
    StackComponentType.CONTAINER_REGISTRY: _container_registry,
    StackComponentType.IMAGE_BUILDER: lambda component: (
        _docker(component) if component.flavor_name == "local" else _not_examined(component)
    ),
}
