"""The commands after a training run."""

from pathlib import Path

from state.folder import State
from terminal.next_commands import after_training


def commands(folder: Path, model: str = "", *, tracker: str = "sqlite:////x/mlflow.db", served: bool = True) -> str:
    return "\n".join(command for _, command in after_training(State(folder, moved=True), tracker, model, served=served))


def test_the_model_to_serve_is_the_one_that_was_trained(tmp_path: Path) -> None:
    assert "run.py serve\n" in commands(tmp_path)
    assert "run.py serve --embedded\n" in commands(tmp_path, " --embedded")


def test_the_web_page_comes_with_the_password_to_sign_in(tmp_path: Path) -> None:
    lines = commands(tmp_path).splitlines()
    page = next(number for number, line in enumerate(lines) if line.endswith("run.py ui"))
    assert lines[page + 1] == f"cat {tmp_path}/admin-password"


def test_without_a_version_in_production_there_is_nothing_to_serve(tmp_path: Path) -> None:
    shown = commands(tmp_path, served=False)
    assert "run.py serve" not in shown
    assert "run.py ui" not in shown
    assert "login --local" in shown


def test_a_state_that_was_moved_is_exported_first(tmp_path: Path) -> None:
    first = commands(tmp_path / "with space").splitlines()[0]
    assert first.endswith(f"env --state '{tmp_path}/with space')\"")
    unmoved = after_training(State(tmp_path, moved=False), "sqlite:////x/mlflow.db", "", served=True)
    assert "env --state" not in str(unmoved)


def test_mlflow_is_started_for_a_file_and_opened_where_it_is_a_server(tmp_path: Path) -> None:
    assert "ui --host 127.0.0.1 --port 5001 --backend-store-uri sqlite:////x/mlflow.db" in commands(tmp_path)
    assert "xdg-open https://mlflow.example" in commands(tmp_path, tracker="https://mlflow.example")
