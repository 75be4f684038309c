"""The page of the monitor service. It is made of plain values, since that service loads no library for data."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from reports.rendering import render


@dataclass(frozen=True)
class LatestVerdict:
    """The verdict of the latest report, and the sentences that explain it."""

    verdict: str
    model_name: str
    model_version: str
    reasons: Sequence[str]


@dataclass(frozen=True)
class Section:
    """A table with its title. All rows have the same keys; `empty` is the sentence that is shown without rows.

    Values of `verdict` and `outcome` are coloured. Those of `report`, `json`, `evidently` and `log` are names of files
    in the folder of reports, and become links.
    """

    title: str
    rows: Sequence[Mapping[str, object]]
    empty: str


def service_page(latest: LatestVerdict | None, sections: Sequence[Section], description: str) -> str:
    """Return the page, which a browser loads again every 30 seconds.

    `latest` is None before the first report. `description` says in a sentence how the service monitors and retrains.
    """
    return render("service_page.html.j2", latest=latest, sections=sections, description=description)
