"""The commands of the pages about the service, after a training: serve, ask, correct, roll back, auth apart."""

import json
from pathlib import Path

import httpx
import pytest

from tests.system.pages import commands, shell
from tests.system.snapshots import Snapshot
from tests.system.workspace import LIMIT, wait_for

pytestmark = pytest.mark.documents
PAGES = ("docs/serving.md", "docs/migrating.md")


def test_the_commands_for_the_service_do_what_they_say(one_version: Snapshot, tmp_path: Path) -> None:
    with shell(tmp_path, one_version) as user:

        def ask(command: str) -> None:
            page = user.placed("http://127.0.0.1:3000/predict")
            assert httpx.post(page, json={"designation": "Piscine"}, timeout=LIMIT).status_code == 401
            answer = json.loads(user.run(command))
            assert set(answer) >= {"predicted_class", "predicted_code", "confidence", "abstained", "model_version"}
            assert answer["model_version"] == "1"

        def train_while_it_serves(command: str) -> None:
            user.run(command)
            wait_for("serve follows the promotion", lambda: user.served_version() == "2")

        def roll_back_while_it_serves(command: str) -> None:
            assert "worse on toys" in user.run(command)
            wait_for("serve follows the rollback", lambda: user.served_version() == "1")

        observed = {
            "curl -s http://127.0.0.1:3000/predict": ask,
            "--new-baseline": train_while_it_serves,
            "rollback": roll_back_while_it_serves,
        }
        for page in PAGES:
            user.run_all(commands(page), observed)
    assert user.served_version() is None
    assert not user.attempts.exists(), user.attempts.read_text()
