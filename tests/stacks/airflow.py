"""An Airflow for tests: answers requests as a test says, without a network."""

from typing import Any

import httpx

from stacks.airflow_client import AirflowSettings

SETTINGS = AirflowSettings("http://airflow.test", "ada", "violet-Umbrella-42")
DAG = "/api/v2/dags/product_types_training"
RUNS = f"{DAG}/dagRuns"


class Answers(httpx.BaseTransport):
    """Gives the answers that a test lists for each method and path; the last of them is repeated."""

    def __init__(self, answers: dict[str, list[Any]]) -> None:
        self.answers = {"POST /auth/token": [(201, {"access_token": "t"})]} | answers
        self.requests: list[httpx.Request] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        left = self.answers[f"{request.method} {request.url.path}"]
        answer = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(answer, Exception):
            raise answer
        return httpx.Response(answer[0], json=answer[1])
