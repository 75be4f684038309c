"""The stack `kubernetes` without a cluster: what ZenML would send is valid by the schemas of Kubernetes."""

from typing import Any

import kubernetes_validate
import pytest
from kubernetes.client import ApiClient
from zenml.config import DockerSettings
from zenml.integrations.kubernetes.flavors.kubernetes_orchestrator_flavor import (
    KubernetesOrchestratorConfig,
    KubernetesOrchestratorSettings,
)
from zenml.integrations.kubernetes.manifest_utils import (
    build_cron_job_manifest,
    build_job_manifest,
    build_pod_manifest,
    job_template_manifest_from_job,
    pod_template_manifest_from_pod,
)

from stacks.files import StackFile, read_stack

VERSION = "1.32"  # of Kubernetes


@pytest.fixture
def file(monkeypatch: pytest.MonkeyPatch) -> StackFile:
    variables = {
        "KUBERNETES_CONTEXT": "kind",
        "REGISTRY": "registry.example/shop",
        "TRACKER_URI": "https://mlflow.example",
    }
    for variable, value in variables.items():
        monkeypatch.setenv(variable, value)
    return read_stack("kubernetes")


def objects(file: StackFile) -> dict[str, dict[str, Any]]:
    """Return the objects that ZenML makes of a step and of a scheduled pipeline, as they are sent."""
    settings = KubernetesOrchestratorSettings(**file.settings["orchestrator.kubernetes"])
    made = {}
    for name, pod_settings in (("step", settings.pod_settings), ("lead", settings.orchestrator_pod_settings)):
        pod = build_pod_manifest(
            pod_name="training-step",
            image_name="registry.example/shop/zenml@sha256:0",
            command=["python"],
            args=["-m", "zenml.entrypoints.entrypoint"],
            privileged=settings.privileged,
            pod_settings=pod_settings,
            env={"ZENML_STORE_URL": "https://zenml.example"},
        )
        job = build_job_manifest(
            job_name="training-step",
            pod_template=pod_template_manifest_from_pod(pod),
            backoff_limit=settings.orchestrator_job_backoff_limit,
            ttl_seconds_after_finished=settings.ttl_seconds_after_finished,
            active_deadline_seconds=settings.active_deadline_seconds,
        )
        made |= {f"{name} pod": pod, f"{name} job": job}
    made["cron job"] = build_cron_job_manifest(
        job_template_manifest_from_job(made["lead job"]),
        cron_expression="0 2 * * *",
        concurrency_policy=settings.concurrency_policy,
    )
    sent = {name: ApiClient().sanitize_for_serialization(made[name]) for name in made}
    for name in ("step job", "lead job"):
        sent[name] |= {"apiVersion": "batch/v1", "kind": "Job"}  # in the request it is the address that says this
    return sent


@pytest.mark.filterwarnings("error")  # for an unknown kind the library only warns
@pytest.mark.parametrize("name", ["step pod", "step job", "lead pod", "lead job", "cron job"])
def test_the_objects_that_zenml_makes_are_valid(file: StackFile, name: str) -> None:
    kubernetes_validate.validate(objects(file)[name], VERSION, strict=True)


def test_the_validation_finds_an_unknown_key(file: StackFile) -> None:
    pod = objects(file)["step pod"]
    pod["spec"]["containers"][0]["resource"] = {}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(pod, VERSION, strict=True)


@pytest.mark.parametrize("name", ["step pod", "lead pod"])
def test_no_pod_runs_as_root_or_without_limits(file: StackFile, name: str) -> None:
    pod = objects(file)[name]["spec"]
    assert pod["securityContext"] == {
        "runAsNonRoot": True,
        "runAsUser": 1000,
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    (container,) = pod["containers"]
    assert container["securityContext"] == {"privileged": False}
    assert container["resources"]["limits"]["memory"]
    assert container["resources"]["requests"]["cpu"]


def test_zenml_accepts_the_configuration_and_the_image_settings(file: StackFile) -> None:
    component = next(component for component in file.components.values() if component.flavor == "kubernetes")
    config = KubernetesOrchestratorConfig(**component.configuration)
    assert config.pass_zenml_token_as_secret
    assert config.is_remote
    assert DockerSettings(**file.settings["docker"]).user == "steps"


def test_no_database_address_and_no_password_is_sent(file: StackFile) -> None:
    sent = str(objects(file))
    assert "DATABASE_URL" not in sent
    assert "password" not in sent.lower()
