"""`run.py ui`: the web page of the people who classify, check and watch."""

import os
import sys
from argparse import ArgumentParser, Namespace

from commands.listening import require_free
from commands.options import add_address, add_state
from state.folder import SOURCE_ROOT, State

_UPLOAD_MEGABYTES = 100  # a hundred thousand listings take 20 to 50
_LIGHT = {
    "primaryColor": "#1f5fa8",
    "backgroundColor": "#ffffff",
    "secondaryBackgroundColor": "#f3f5f8",
    "textColor": "#1b2430",
    "linkColor": "#1a568f",
}
_DARK = {
    "primaryColor": "#3d7cc9",
    "backgroundColor": "#12161c",
    "secondaryBackgroundColor": "#1d232c",
    "textColor": "#e8ecf1",
    "linkColor": "#8fbdf0",
}


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
    """Replace this process by Streamlit, which serves the page. It keeps nothing: all state is the services'."""
    require_free(options.host, options.port)
    for name, given in (("SERVICE_URL", options.service), ("AUTH_URL", options.auth), ("MONITOR_URL", options.monitor)):
        if given:
            os.environ[name] = given
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
        "client.showErrorLinks": "false",
        "runner.magicEnabled": "false",
        **{f"theme.light.{name}": color for name, color in _LIGHT.items()},
        **{f"theme.dark.{name}": color for name, color in _DARK.items()},
    }
    flags = [f"--{name}={value}" for name, value in settings.items()]
    sys.stdout.write(f"The page is on http://{options.host}:{options.port}; Ctrl-C ends it.\n")
    sys.stdout.flush()
    os.execv(sys.executable, [sys.executable, "-m", "streamlit", "run", "ui/app.py", *flags])
