"""Can this machine make a PDF? WeasyPrint lays text out with Pango, a library of the system and not of Python."""

from __future__ import annotations

import importlib


def why_no_pdf() -> str:
    """A sentence that says what is missing and what to do, or nothing. Takes the second that the import takes."""
    try:
        importlib.import_module("weasyprint")
    except OSError:
        return (
            "No PDF can be made here: Pango, a library of the system, is missing. Install it (Debian, Ubuntu: "
            "libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0; Fedora: pango) and run the command again. "
            "Every other file of the report is made without it."
        )
    return ""
