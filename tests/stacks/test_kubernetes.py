"""The stack of Kubernetes as far as it can be looked at without a cluster: what ZenML would send, by the schemas."""

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
    """Return what is made of a step, and of a scheduled pipeline, as it goes over the wire."""
    settings = KubernetesOrchestratorSettings(**file.settings["orchestrator.kubernetes"])
    made = {}
    for name, pod_settings in (("step", settings.pod_settings), ("leader", settings.orchestrator_pod_settings)):
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
        job_template_manifest_from_job(made["leader job"]),
        cron_expression="0 2 * * *",
        concurrency_policy=settings.concurrency_policy,
    )
    sent = {name: ApiClient().sanitize_for_serialization(made[name]) for name in made}
    for name in ("step job", "leader job"):
        sent[name] |= {"apiVersion": "batch/v1", "kind": "Job"}  # as the address that they are sent to says
    return sent


@pytest.mark.filterwarnings("error")  # an unknown kind is a warning only
@pytest.mark.parametrize("name", ["step pod", "step job", "leader pod", "leader job", "cron job"])
def test_what_zenml_makes_of_the_settings_is_valid(file: StackFile, name: str) -> None:
    kubernetes_validate.validate(objects(file)[name], VERSION, strict=True)


def test_the_validation_finds_what_is_wrong(file: StackFile) -> None:
    pod = objects(file)["step pod"]
    pod["spec"]["containers"][0]["resource"] = {}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(pod, VERSION, strict=True)


@pytest.mark.parametrize("name", ["step pod", "leader pod"])
def test_no_pod_runs_as_root_or_without_a_limit(file: StackFile, name: str) -> None:
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


def test_the_installed_zenml_takes_the_configuration_and_the_image_settings(file: StackFile) -> None:
    component = next(component for component in file.components.values() if component.flavor == "kubernetes")
    config = KubernetesOrchestratorConfig(**component.configuration)
    assert config.pass_zenml_token_as_secret
    assert config.is_remote
    assert DockerSettings(**file.settings["docker"]).user == "steps"


def test_no_address_of_a_store_and_no_password_is_in_what_is_sent(file: StackFile) -> None:
    sent = str(objects(file))
    assert "DATABASE_URL" not in sent
    assert "password" not in sent.lower()
