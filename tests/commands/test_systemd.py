"""The unit files for systemd start what there is, with options that there are."""

import shlex
from argparse import ArgumentParser
from configparser import ConfigParser
from pathlib import Path

import run
from commands.serve import add_options
from tests.conftest import ROOT

UNITS = ROOT / "deploy" / "systemd"


def unit(name: str) -> ConfigParser:
    parser = ConfigParser(interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read_string((UNITS / name).read_text())
    return parser


def test_the_unit_runs_serve_with_options_that_it_has() -> None:
    python, script, verb, *options = shlex.split(unit("product-types.service")["Service"]["ExecStart"])
    assert Path(python).name == "python"
    assert (ROOT / script).is_file()
    assert verb in run.VERBS
    parser = ArgumentParser()
    add_options(parser)
    assert parser.parse_args(options).workers == 2


def test_the_socket_is_the_default_address_and_the_service_asks_for_it() -> None:
    parser = ArgumentParser()
    add_options(parser)
    default = parser.parse_args([])
    assert unit("product-types.socket")["Socket"]["ListenStream"] == f"{default.host}:{default.port}"
    assert unit("product-types.service")["Unit"]["Requires"] == "product-types.socket"
