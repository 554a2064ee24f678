"""`render`: protected results to HTML, PDF, ODS, XLSX, CSV and JSON. Takes only what `disclosure` made."""

from typing import TYPE_CHECKING

from counterfoil.lazily import read_when_asked

if TYPE_CHECKING:
    from counterfoil.lab.paths import PDF, REPORT
    from counterfoil.report.about import About
    from counterfoil.report.as_json import to_json
    from counterfoil.report.page import PRINTINGS, Rendered, render
    from counterfoil.report.pdf_ready import why_no_pdf
    from counterfoil.report.pool import POOL, POOL_PRINTINGS, SEVERAL, Beside, pool_json, render_pool

__all__ = [
    "PDF",
    "POOL",
    "POOL_PRINTINGS",
    "PRINTINGS",
    "REPORT",
    "SEVERAL",
    "About",
    "Beside",
    "Rendered",
    "pool_json",
    "render",
    "render_pool",
    "to_json",
    "why_no_pdf",
]

read_when_asked(__name__)
