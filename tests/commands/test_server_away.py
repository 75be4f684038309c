"""ZenML is logged in to a server that does not answer."""

from pathlib import Path

import pytest

from tests.commands.processes import run_py


@pytest.mark.parametrize("verb", ["train", "rollback", "serve", "env --tracker", "doctor"])
def test_the_error_names_the_server_and_the_way_to_log_out(verb: str, tmp_path: Path) -> None:
    nobody = "http://127.0.0.1:9"
    done = run_py(*verb.split(), "--state", str(tmp_path), ZENML_STORE_URL=nobody, ZENML_STORE_TYPE="rest")
    assert done.returncode == 1
    said = " ".join((done.stdout + done.stderr).split())
    assert f"ZenML is logged in to the server {nobody}, which does not answer" in said
    assert "`zenml logout`" in said
    assert "Traceback" not in said
