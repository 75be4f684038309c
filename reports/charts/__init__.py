"""The geometry of the charts: where each mark and label stands. `charts.html.j2` draws them as SVG."""
