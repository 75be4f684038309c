"""What stops a reproduction."""

from terminal.errors import CommandError


class GoneError(CommandError):
    """Something that a version was made from is no longer there, or is not what was recorded.

    The message is a sentence that says what it is, and what to do if something can be done.
    """
