"""`render`: protected results to HTML, CSV and JSON. Takes only what `disclosure` made."""

from counterfoil.report.about import About
from counterfoil.report.as_json import to_json
from counterfoil.report.page import REPORT, Rendered, render
from counterfoil.report.pool import POOL, pool_json, render_pool

__all__ = ["POOL", "REPORT", "About", "Rendered", "pool_json", "render", "render_pool", "to_json"]
