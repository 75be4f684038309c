"""A listing as HTML in which the words are marked that spoke for its type and against it. Every text is escaped."""

from html import escape
from itertools import groupby

from ui.services.prediction import Explanation, Listing, Reason

_For, _Against = "for", "against"


def listing_html(listing: Listing, explanation: Explanation | None, names: dict[str, str]) -> str:
    """Return a listing as HTML. `names`: what `for` and `against` are called, for screen readers."""
    title = _marked(listing["designation"], _kinds(listing["designation"], "designation", explanation), names)
    text = listing.get("description") or ""
    description = _marked(text, _kinds(text, "description", explanation), names)
    below = f"<p>{description}</p>" if description else ""
    return f'<div class="listing"><p class="title">{title}</p>{below}</div>'


def located(explanation: Explanation) -> bool:
    """Whether any word of an explanation stands in the text as it was sent."""
    return any(reason["spans"] for reason in (*explanation["supporting"], *explanation["opposing"]))


def _kinds(text: str, field: str, explanation: Explanation | None) -> list[str]:
    """Return for each character whether it spoke for the type, against it or neither. The stronger word counts."""
    kinds = [""] * len(text)
    if explanation is None:
        return kinds
    reasons: list[tuple[Reason, str]] = [(reason, _For) for reason in explanation["supporting"]]
    reasons += [(reason, _Against) for reason in explanation["opposing"]]
    for reason, kind in sorted(reasons, key=lambda entry: abs(entry[0]["contribution"])):
        for span in reason["spans"]:
            if span["field"] == field:
                start, end = max(span["start"], 0), min(span["end"], len(text))
                kinds[start:end] = [kind] * max(end - start, 0)
    return kinds


def _marked(text: str, kinds: list[str], names: dict[str, str]) -> str:
    parts, place = [], 0
    for kind, run in groupby(kinds):
        length = len(list(run))
        part = escape(text[place : place + length])
        place += length
        if kind and not part.isspace():
            part = f'<mark class="{kind}"><span class="unseen">[{escape(names[kind])}] </span>{part}</mark>'
        parts.append(part)
    return "".join(parts)
