"""The quality report as files: index.html, report.json, transparency.json, transparency.md."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from markupsafe import Markup

from counterfoil.lab.files import PRIVATE, atomic_write
from counterfoil.linkage.quality_report import charts
from counterfoil.linkage.quality_report.sections import sections_of
from counterfoil.linkage.quality_report.transparency import to_markdown
from counterfoil.templating import style_of, templates_of

_PACKAGE = "counterfoil.linkage.quality_report"
PAGE, REPORT = "index.html", "report.json"


def write_report(report: Mapping[str, Any], folder: Path) -> Path:
    """Write every file into `folder`, for the linker alone to read. Gives the path of the page."""
    made = {
        PAGE: page_of(report),
        REPORT: _json(report),
        "transparency.json": _json(report["transparency"]),
        "transparency.md": to_markdown(report["transparency"]),
    }
    for name, text in made.items():
        atomic_write(folder / name, text.encode("utf-8"), mode=PRIVATE)
    return folder / PAGE


def page_of(report: Mapping[str, Any]) -> str:
    """The page. The same report gives the same bytes."""
    return (
        templates_of(_PACKAGE)
        .get_template("quality.html")
        .render(
            about=report["about"],
            findings=report["findings"],
            sections=sections_of(report),
            style=style_of(_PACKAGE, has_drawings=True),
            draw=_drawn,
        )
    )


def _json(value: Any) -> str:
    return json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def _drawn(data: charts.ChartData) -> Markup:
    return Markup(charts.draw(data))
