"""The page of the monitor service. It is made of plain values, since that service loads no library for data."""

from collections.abc import Mapping
from typing import Any

from reports.rendering import render


def service_page(overview: Mapping[str, Any]) -> str:
    """Return the page, which a browser loads again every 30 seconds.

    `overview` has the fields of `monitoring.overview.Overview`, as plain values. Raises `jinja2.UndefinedError` when
    one is missing.
    """
    return render("service_page.html.j2", **overview)
