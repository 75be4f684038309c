"""Runs the deployment hooks of a Bento, which `bentoml serve` runs before its workers; prints what workers need.

    python -P deployment_hook.py TAG

It is a script, and knows nothing of this checkout: the code that it runs is the Bento's own.
"""

import json
import os
import sys

from _bentoml_impl.loader import load  # type: ignore[import-untyped]
from _bentoml_impl.server.serving import server_on_deployment  # type: ignore[import-untyped]


def main(tag: str) -> None:
    """Write the service's name and the environment variables that the hooks have set, as JSON in one line."""
    before = dict(os.environ)
    service = load(tag)
    server_on_deployment(service)
    changed = {name: value for name, value in os.environ.items() if before.get(name) != value}
    sys.stdout.write(json.dumps({"service": service.name, "environment": changed}) + "\n")


if __name__ == "__main__":
    main(sys.argv[1])
