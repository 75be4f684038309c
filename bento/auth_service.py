"""Auth alone, as `python run.py auth` runs it: `python -m bento.auth_service --host HOST --port PORT`."""

from argparse import ArgumentParser

import uvicorn

from bento.application import Application, create_auth_service
from bento.deployment import prepare_auth
from web.connections import PROTOCOL


def create() -> Application:
    """Prepare and return the service. Ends the process with one sentence on an error."""
    return create_auth_service(prepare_auth())


def main() -> None:
    """Serve until interrupted."""
    parser = ArgumentParser()
    parser.add_argument("--host", required=True)
    parser.add_argument("--port", type=int, required=True)
    options = parser.parse_args()
    uvicorn.run(
        create, factory=True, host=options.host, port=options.port, http=PROTOCOL, ws="none", log_level="warning",
        access_log=False, server_header=False,
        proxy_headers=False,  # who may say where a request comes from is in TRUSTED_PROXIES
    )  # fmt: skip


if __name__ == "__main__":
    main()
