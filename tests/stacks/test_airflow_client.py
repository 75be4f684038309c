"""The client of Airflow's REST API: what it sends, and its errors. `make test-airflow` tests it against a real one."""

import json
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from stacks.airflow_client import AirflowClient, AirflowError, AirflowSettings
from tests.stacks.airflow import DAG, RUNS, SETTINGS, Answers


def airflow(**answers: list[Any]) -> tuple[AirflowClient, Answers]:
    names = {"trigger": f"POST {RUNS}", "look": f"GET {RUNS}/run", "dag": f"GET {DAG}", "login": "POST /auth/token"}
    transport = Answers({names[name]: answer for name, answer in answers.items()})
    return AirflowClient(SETTINGS, transport), transport


def test_a_run_is_triggered_with_its_id_and_without_a_date() -> None:
    client, transport = airflow(trigger=[(200, {"dag_run_id": "run"})])
    assert client.trigger("run", "alert Drift") is True
    assert json.loads(transport.requests[0].content) == {"username": "ada", "password": "violet-Umbrella-42"}
    sent = transport.requests[1]
    assert sent.headers["Authorization"] == "Bearer t"
    assert json.loads(sent.content) == {"dag_run_id": "run", "logical_date": None, "note": "alert Drift"}


def test_a_run_that_exists_is_not_an_error() -> None:
    assert airflow(trigger=[(409, {"detail": "exists"})])[0].trigger("run", "") is False


@pytest.mark.parametrize(
    ("answers", "sentence"),
    [
        ({"trigger": [(404, {})]}, "was 'product_types_training' delivered, and named in AIRFLOW_DAG_ID"),
        ({"trigger": [(403, {})]}, "user 'ada' may not do that"),
        ({"trigger": [(401, {})]}, "user 'ada' may not do that"),
        ({"trigger": [(422, {"detail": "no such field"})]}, "answers 422: no such field"),
        ({"trigger": [(500, {})]}, "answers 500"),
        ({"login": [(401, {})]}, "does not accept AIRFLOW_USERNAME and AIRFLOW_PASSWORD"),
        ({"login": [(404, {})]}, "the address of an Airflow 3 API server"),
        ({"login": [httpx.ConnectError("refused")]}, "Airflow at http://airflow.test does not answer"),
    ],
)
def test_an_error_is_a_sentence_without_the_password(answers: dict[str, list[Any]], sentence: str) -> None:
    client, _ = airflow(**answers)
    with pytest.raises(AirflowError) as caught:
        client.trigger("run", "")
    assert sentence in str(caught.value)
    assert SETTINGS.password not in str(caught.value) + repr(SETTINGS)


def test_a_token_that_has_expired_is_renewed() -> None:
    client, transport = airflow(look=[(401, {}), (200, {"state": "success"})])
    assert client.wait("run", every=0) == "success"
    assert [request.url.path for request in transport.requests].count("/auth/token") == 2


def test_a_wait_survives_a_short_outage() -> None:
    client, _ = airflow(
        look=[(200, {"state": "queued"}), httpx.ConnectError("refused"), (503, {}), (200, {"state": "failed"})]
    )
    assert client.wait("run", every=0) == "failed"


def test_a_wait_ends_after_its_limit() -> None:
    client, _ = airflow(look=[(200, {"state": "running"})])
    with pytest.raises(AirflowError, match="has not ended after"):
        client.wait("run", every=0.01, limit=0.05)


@pytest.mark.parametrize("missing", ["AIRFLOW_API_URL", "AIRFLOW_USERNAME", "AIRFLOW_PASSWORD"])
def test_an_error_names_a_missing_setting(missing: str) -> None:
    environment = {"AIRFLOW_API_URL": "http://a", "AIRFLOW_USERNAME": "ada", "AIRFLOW_PASSWORD": "x"}
    with pytest.raises(AirflowError, match=missing):
        AirflowSettings.from_environment(environment | {missing: ""})


DELIVERED = datetime(2026, 3, 4, 12, tzinfo=UTC)


def test_the_client_waits_until_airflow_has_read_the_dag_that_was_delivered() -> None:
    earlier, later = ({"last_parsed_time": f"2026-03-04T{hour}:00:00Z"} for hour in (11, 13))
    client, transport = airflow(dag=[(404, {}), (200, {"last_parsed_time": None}), (200, earlier), (200, later)])
    client.wait_until_read(DELIVERED, every=0)
    assert [request.url.path for request in transport.requests].count(DAG) == 4


def test_a_dag_that_airflow_does_not_read_is_an_error_after_the_limit() -> None:
    client, _ = airflow(dag=[(404, {})])
    with pytest.raises(AirflowError, match="has not read the DAG 'product_types_training' within"):
        client.wait_until_read(DELIVERED, every=0.01, limit=0.05)
