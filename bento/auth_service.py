"""Auth alone, as `python run.py auth` runs it: `uvicorn --factory bento.auth_service:create`."""

from bento.application import Application, create_auth_service
from bento.deployment import prepare_auth


def create() -> Application:
    """Prepare and return the service. Ends the process with one sentence on an error."""
    return create_auth_service(prepare_auth())
