"""`run.py ui`: the web page of the people who classify, check and watch."""

import os
import sys
from argparse import ArgumentParser, Namespace
from urllib.parse import urlsplit

from commands.listening import reachable, require_free
from commands.options import add_address, add_state
from state.folder import SOURCE_ROOT, State
from terminal.errors import CommandError

_UPLOAD_MEGABYTES = 100  # a hundred thousand listings take 20 to 50
_LOOPBACK = ("127.0.0.1", "::1", "localhost")


def add_options(parser: ArgumentParser) -> None:
    """Declare the options of `ui`."""
    add_address(parser, 8501)
    for name, what, default in (
        ("service", "prediction service", "SERVICE_URL, or http://127.0.0.1:3000"),
        ("auth", "auth", "AUTH_URL, or the prediction service"),
        ("monitor", "monitor service", "MONITOR_URL, or http://127.0.0.1:8003"),
    ):
        parser.add_argument(f"--{name}", metavar="URL", help=f"address of the {what} ({default})")
    add_state(parser)


def ui(_: State, options: Namespace) -> int:
    """Replace this process by Streamlit, which serves the page. It keeps nothing: all state is the services'.

    Raises `CommandError` for a port that is in use and for what is no address of a service.
    """
    require_free(options.host, options.port)
    for name, given in (("SERVICE_URL", options.service), ("AUTH_URL", options.auth), ("MONITOR_URL", options.monitor)):
        if given:
            os.environ[name] = given
        if (address := os.environ.get(name)) and not _is_address(address):
            option = name.removesuffix("_URL").lower()
            raise CommandError(
                f"{address} is no address of a service: give one such as http://127.0.0.1:3000 with --{option} "
                f"or {name}"
            )
    os.chdir(SOURCE_ROOT)
    settings = {
        "server.address": options.host,
        "server.port": options.port,
        "server.headless": "true",
        "server.fileWatcherType": "none",
        "server.enableStaticServing": "false",
        "server.maxUploadSize": _UPLOAD_MEGABYTES,
        "browser.gatherUsageStats": "false",
        "client.toolbarMode": "minimal",
        "client.showErrorDetails": "none",
        "client.disableDataExport": "true",  # its files have cells that a spreadsheet takes for formulas
        "client.showErrorLinks": "false",
        "runner.magicEnabled": "false",
        "theme.base": "ui/theme.toml",
        "logger.hideWelcomeMessage": "true",
        "logger.level": "warning",
    }
    flags = [f"--{name}={value}" for name, value in settings.items()]
    if options.host in _LOOPBACK:  # a page elsewhere must not reach this one under a name of its own
        flags += [f"--server.allowedHosts={name}" for name in ("localhost", options.host)]
    sys.stdout.write(f"The page is on http://{reachable(options.host)}:{options.port}; Ctrl-C ends it.\n")
    sys.stdout.flush()
    os.execv(sys.executable, [sys.executable, "-m", "streamlit", "run", "ui/app.py", *flags])


def _is_address(given: str) -> bool:
    try:
        parts = urlsplit(given)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # such as a port that is no number
        return False
