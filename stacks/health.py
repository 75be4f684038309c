"""Is every component of the active stack there? Asked before a run, so that no step begins that cannot end."""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import requests
from zenml.client import Client
from zenml.enums import StackComponentType
from zenml.models import ComponentResponse

from stacks.apply import reach_server
from stacks.files import StackError, path_of, references_in, stack_files

_PATIENCE = 5  # seconds for a component to answer


class UnreachableError(RuntimeError):
    """A component does not answer as it must; the message says what was asked and what came of it."""


@dataclass(frozen=True)
class Health:
    """What was seen of one component; `problem` is a whole sentence, and empty where it is fine."""

    kind: str
    name: str
    seen: str
    problem: str = ""


def examine() -> Iterator[Health]:
    """Look at every component of the active stack. Raises `StackError` when ZenML's server does not answer."""
    reach_server()
    client = Client()
    stack = client.active_stack_model
    where = f"{path_of(stack.name)}" if stack.name in stack_files() else "no file of this project"
    for kind, components in stack.components.items():
        for component in components:
            subject = kind.value.replace("_", " ")
            try:
                _require_secrets(client, component)
                seen = _PROBES.get(kind, _not_examined)(component)
            except UnreachableError as error:
                problem = f"the {subject} '{component.name}' of the stack '{stack.name}' ({where}) {error}"
                yield Health(subject, component.name, "not usable", problem)
            else:
                yield Health(subject, component.name, seen)


def require_healthy() -> None:
    """Raise `StackError` with one sentence for each component of the active stack that is not fine."""
    if problems := [health.problem for health in examine() if health.problem]:
        raise StackError("; ".join(problems))


def _require_secrets(client: Client, component: ComponentResponse) -> None:
    for name, key in references_in(component.configuration):
        try:
            if key not in client.get_secret(name, allow_partial_name_match=False).secret_values:
                raise UnreachableError(f"refers to the key '{key}' of the ZenML secret '{name}', which has none")
        except KeyError:
            raise UnreachableError(f"refers to the ZenML secret '{name}', which is not there") from None


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
        raise UnreachableError(f"delivers to the folder {folder or '(none named)'}, which cannot be written to")
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
    if endpoint:  # the library would try for minutes
        _ask(endpoint)
    try:
        there = component.flavor_name == "local" or store.exists(store.path)
    except (OSError, RuntimeError, ValueError) as error:  # PermissionError is an OSError
        raise UnreachableError(f"cannot be read at {store.path} ({_reason(error)})") from None
    if not there:
        raise UnreachableError(f"is {store.path}, which is not there or may not be read")
    return f"{store.path} (there)"


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
    for scheme in ("https", "http"):  # Docker knows which registries it may speak to without TLS
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
    """Return the innermost cause in one line: libraries wrap a refused connection three times over."""
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
