"""Where a step ran: a host of its own on the stacks that have containers."""

import platform

from zenml import log_metadata


def note_host() -> None:
    """Write the host's name into the metadata of the step that is ending."""
    log_metadata(metadata={"host": platform.node()})
