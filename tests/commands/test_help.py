"""The command line: its help, its usage, and the options that a verb refuses."""

import pytest

import run
from tests.commands.processes import run_py


def test_help_lists_the_verbs_and_gives_examples() -> None:
    done = run_py("--help")
    assert done.returncode == 0
    for verb in run.VERBS:
        assert f"    {verb} " in done.stdout
    assert "python run.py --data DIR --taxonomy FILE" in done.stdout


@pytest.mark.parametrize(
    ("verb", "options"),
    {
        "train": [
            "--data",
            "--size",
            "--taxonomy",
            "--config",
            "--new-baseline",
            "--no-cache",
            "--retention",
            "--json",
            "--verbose",
        ],
        "serve": ["--host", "--port", "--every", "--workers", "--taxonomy", "--embedded"],
        "monitor": ["--config", "--retention", "--json", "--verbose", "--taxonomy", "--embedded"],
        "watch": [
            "--host",
            "--port",
            "--every",
            "--cool-down",
            "--daily-budget",
            "--taxonomy",
            "--embedded",
            "-- OPTION",
        ],
        "simulate": ["--kind", "--requests", "--rate", "--feedback", "--service", "--username", "--seed"],
        "auth": ["--host", "--port"],
        "ui": ["--host", "--port", "--service", "--auth", "--monitor"],
        "why": ["PREDICTION_ID", "--json"],
        "models": ["VERSION", "--json", "--taxonomy", "--embedded"],
        "rollback": ["--reason", "--by", "--leaving", "--json", "--taxonomy", "--embedded"],
        "reproduce": ["VERSION", "--install", "--json", "--taxonomy", "--embedded"],
        "purge": ["--older-than", "--dry-run", "--retention"],
        "audit": ["FILE", "--data", "--taxonomy", "--page", "--review", "--folds", "--sure"],
        "data": ["DIR", "--size", "--seed", "--force"],
        "env": ["--tracker"],
        "doctor": [],
    }.items(),
)
def test_the_help_of_a_verb_lists_its_options(
    verb: str, options: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        run.main([verb, "--help"])
    assert ended.value.code == 0
    shown = capsys.readouterr().out
    assert f"usage: run.py {verb} " in shown
    for option in [*options, "--state"]:
        assert option in shown


@pytest.mark.parametrize("action", ["list", "apply", "diff"])
def test_each_action_of_stack_takes_the_state(action: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        run.main(["stack", action, "--help"])
    shown = capsys.readouterr().out
    assert f"usage: run.py stack {action} " in shown
    assert "--state DIR" in shown


def test_an_unknown_option_is_refused_with_the_usage() -> None:
    done = run_py("--colour")
    assert done.returncode == 2
    assert "usage: run.py train" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "usage", "complaint"),
    [
        (["tain"], "run.py", "invalid choice: 'tain'"),
        (["serve", "--colour"], "run.py serve", "unrecognized arguments: --colour"),
        (["purge", "--older-than"], "run.py purge", "argument --older-than: expected one argument"),
        (["watch", "--", "--colour"], "run.py train", "unrecognized arguments: --colour"),
        (["watch", "--", "--size", "many"], "run.py train", "argument --size: invalid int value: 'many'"),
    ],
)
def test_what_is_wrong_on_the_command_line_is_named(
    arguments: list[str], usage: str, complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        run.main(arguments)
    assert ended.value.code == 2
    shown = capsys.readouterr().err
    assert f"usage: {usage} " in shown
    assert complaint in shown
