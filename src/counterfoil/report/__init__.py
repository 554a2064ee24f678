"""`render`: protected results to HTML, CSV and JSON. Takes only what `disclosure` made."""

from counterfoil.report.about import About
from counterfoil.report.as_json import to_json
from counterfoil.report.page import REPORT, Rendered, render

__all__ = ["REPORT", "About", "Rendered", "render", "to_json"]
