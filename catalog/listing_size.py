"""How long a listing is when its text is normalised. The limit holds for requests and for catalogues."""

from catalog.contract import CONTRACT
from catalog.text import normalise

NORMALISED_LIMIT = CONTRACT.title_limit + CONTRACT.description_limit  # characters
EXPANSION = 18  # the most characters that the normalised form of one has
WESTERN_EXPANSION = 3  # the same, of one in Windows-1252: `\u00bc` is `1\u20444`; an entity expands less


def is_longer(title: str, description: str, limit: int) -> bool:
    """Return whether the normalised texts of a listing have more characters than a limit.

    Most texts are too short for that whatever they hold, and are not normalised.
    """
    size = len(title) + len(description)
    if size * EXPANSION <= limit:
        return False
    if size * WESTERN_EXPANSION <= limit and _is_western(title) and _is_western(description):
        return False
    return len(normalise(title)) + len(normalise(description)) > limit


def _is_western(text: str) -> bool:
    """Return whether all characters are in Windows-1252, as in most texts of Western Europe."""
    try:
        text.encode("cp1252")
    except UnicodeEncodeError:
        return False
    return True
