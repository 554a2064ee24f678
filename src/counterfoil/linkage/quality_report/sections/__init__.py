"""The report's JSON as sections of a page: words, pictures and tables. No figure is worked out here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from counterfoil.linkage.quality_report.sections.coverage import coverage_section
from counterfoil.linkage.quality_report.sections.fairness import bias_section, groups_section
from counterfoil.linkage.quality_report.sections.model import (
    match_weights_section,
    model_section,
    weights_section,
)
from counterfoil.linkage.quality_report.sections.parts import Section
from counterfoil.linkage.quality_report.sections.people import (
    changes_section,
    controls_section,
    guards_section,
    journeys_section,
    link_rates_section,
    sizes_section,
)
from counterfoil.linkage.quality_report.sections.rates import (
    findings_section,
    precision_section,
    products_section,
    review_section,
)
from counterfoil.linkage.quality_report.sections.records import blocking_section, completeness_section
from counterfoil.linkage.quality_report.transparency import STANDARD, fields

_MAKERS = (
    findings_section,
    precision_section,
    review_section,
    products_section,
    coverage_section,
    groups_section,
    bias_section,
    controls_section,
    completeness_section,
    blocking_section,
    weights_section,
    match_weights_section,
    model_section,
    sizes_section,
    link_rates_section,
    journeys_section,
    guards_section,
    changes_section,
)


def sections_of(report: Mapping[str, Any]) -> tuple[Section, ...]:
    """Every section, in the order of the page."""
    return (*(make(report) for make in _MAKERS), _transparency_section(report))


def _transparency_section(report: Mapping[str, Any]) -> Section:
    words = (
        f"The record of the UK {STANDARD}, filled in from this run; transparency.md and transparency.json lie beside "
        "this page. What says “Fill in” is for the lab.",
    )
    items = tuple((title, tuple(paragraphs)) for title, paragraphs in fields(report["transparency"]))
    return Section("transparency", "Transparency record", words, items=items)
