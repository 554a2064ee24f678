"""What one analysis works on: people, plan, facts, and no outcome."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa

from counterfoil.cohort.values import Attrition
from counterfoil.disclosure import DEFAULT_SETTINGS, DisclosureSettings, GroupTable, SampleFacts, UnitCost
from counterfoil.outcomes.measures import Measure
from counterfoil.outcomes.negative_control import NegativeControl
from counterfoil.report.about import ProviderWords
from counterfoil.study.audit import Behind
from counterfoil.study.link_draws import LinkDoubt
from counterfoil.study.plan import Plan
from counterfoil.study.risk_score import RiskScore
from counterfoil.study.specifications import Site
from counterfoil.study.sub_plan import Part
from counterfoil.study.way_designs import Way


@dataclass(frozen=True, slots=True)
class Facts:
    """What a report says of where it was made."""

    today: dt.date
    lab: str = ""
    data_window: str = ""
    method: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Inputs:
    """Everything one analysis works on. `people` holds covariates and `treated`, and no outcome."""

    run: str
    plan: Plan
    people: pa.Table
    covariates: tuple[str, ...]
    attrition: Attrition
    measures: tuple[Measure, ...]
    folder: Path
    inputs: Mapping[str, str]  # what went in -> SHA-256 or version, as the report shows it
    facts: Facts
    inside: Mapping[str, str] = field(default_factory=dict)  # more of it, for the manifest: it stays inside the lab
    score: RiskScore | None = None  # of the lab's own, among the covariates; its calibration stays inside the lab
    settings: DisclosureSettings = DEFAULT_SETTINGS
    threads: int = 2
    parts: tuple[Part, ...] = ()  # the plan's sub-analyses
    # ways to make the headline's comparison, the first that is large enough and alike is it; none: everyone as they are
    candidates: tuple[Way, ...] = ()
    others: tuple[Way, ...] = ()  # ways beside the headline's
    sites: tuple[Site, ...] = ()  # of the list, row by row of `people`
    control: NegativeControl | None = None
    history_before: pa.Table | None = None  # row by row of `people`; the control alone is compared on it
    follow_up_months: int | None = None  # of the curves of everyone; None draws none
    curves_of: str = ""  # the measure that they are of; "": the first of days to an event
    pdf: bool = False  # a copy of the report as PDF as well
    languages: tuple[str, ...] = ("en",)  # of the report
    words: ProviderWords = field(default_factory=ProviderWords)  # what the organisation says of the result
    sample: SampleFacts | None = None
    costs: tuple[UnitCost, ...] = ()
    doubt: LinkDoubt | None = None  # who else the entries of a list may be; None: nobody was linked
    profile: tuple[GroupTable, ...] = ()  # who they are, row by row of `people`
    behind: Behind = field(default_factory=Behind)  # who the treated are, and earlier reports that share people
