"""The sentences with which the services refuse, in the language of the user where they are known."""

from typing import Final

from ui.i18n import Messages
from ui.services.transport import ServiceError

text = Messages("refusals")

# What the services say, by a part of their sentence -> the key of its translation.
_KNOWN: Final = {
    "there is a user of that name": "name_taken",
    "must not look like the id of a user": "name_is_id",
    "body.username": "name_form",
    "the last admin cannot be removed": "last_admin",
    "the password must have": "password_length",
    "the password must not have the user's name": "password_has_name",
    "the password is easily guessed": "password_guessed",
    "is under way": "retraining_under_way",
    "the next retraining may begin": "retraining_cools_down",
    "retrainings of this day": "retraining_budget",
    "is in production by now, and not": "other_version",
    "nothing is before it": "no_version_before",
    "there is nothing to roll back": "no_version_before",
    "nothing is left before version": "no_version_before",
}


def known(error: ServiceError) -> str | None:
    """Return why a service refused in the language of the user; None for a sentence that is not known."""
    words = said(error)
    key = next((key for part, key in _KNOWN.items() if part in words), None)
    return text(f"known_{key}") if key else None


def said(error: ServiceError) -> str:
    """Return why a service refused, as it said so: in English."""
    named = [f"{entry.get('field', '')}: {entry.get('message', '')}".strip(": ") for entry in error.errors]
    return "; ".join(named) or error.detail
