"""What the command line does, a module a verb."""

INTERRUPTED, INTERRUPTED_CODE = "interrupted; what was in production still is", 130


class CommandError(Exception):
    """What went wrong, in a sentence for the person at the terminal, and the exit code."""

    def __init__(self, message: str, exit_code: int = 1) -> None:
        super().__init__(message)
        self.exit_code = exit_code
