"""The plan of one evaluation: every setting, typed, with a default; all mistakes at once; hashed before outcomes open.

A plan is TOML. A key that nothing uses is an error, not a shrug.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from enum import Enum
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from counterfoil.cohort.register import LONGEST_WINDOW_DAYS
from counterfoil.comparison.values import ComparisonSettings, Design
from counterfoil.disclosure.settings import MOST_SUB_ANALYSES
from counterfoil.errors import UsageError
from counterfoil.lab.settings import mistakes, read_toml_file
from counterfoil.outcomes.measures import Better, Measure, Support
from counterfoil.provenance import canonical_json, sha256_of_bytes
from counterfoil.study.comparison_plan import APPLIED, REGION, RISK_SCORE, ComparisonPlan, Name, find_strange
from counterfoil.study.sub_plan import SubAnalysisPlan
from counterfoil.units import Kind

_STRICT = ConfigDict(extra="forbid", frozen=True)

DEFAULT_MEASURES = ("reoffending_rate", "reoffending_frequency", "days_to_first_reoffence")

OFFENDED_BEFORE = "offended_before"  # the measure that a table's check is of

Months = Annotated[int, Field(ge=1, le=60)]


class Setting(Enum):
    """Where the service was given."""

    CUSTODY = "custody"
    COMMUNITY = "community"
    BOTH = "both"


class Service(BaseModel):
    """What the provider says of its service, before anyone is uploaded."""

    model_config = _STRICT
    people_started: Annotated[int, Field(ge=1)] | None = None  # R1 compares it with the upload
    setting: Setting = Setting.BOTH  # where people were when they were helped; the method box says it
    completers_only: bool = False  # the list holds only people who finished; the report says so in a banner
    unsuitable: str = ""  # a reason from the domain's suitability table: the method cannot answer for this service


class Cohort(BaseModel):
    """Which index event belongs to whom (METHODS 2)."""

    model_config = _STRICT
    # events that start a follow-up; cautions and other convictions are off, as in the Justice Data Lab
    index_kinds: tuple[Literal["release", "community", "caution", "other_conviction"], ...] = ("release", "community")
    # how long before its start a programme may look for the sentence or release it belongs to: six months
    index_window_days: Annotated[int, Field(ge=0, le=LONGEST_WINDOW_DAYS)] = 183
    # "index" as the Justice Data Lab does; "start" begins at the start or pseudo-start
    follow_from: Literal["index", "start"] = "index"
    # first calendar year of index events; every year that is loaded by default
    first_year: Annotated[int, Field(ge=1990, le=2100)] | None = None
    last_year: Annotated[int, Field(ge=1990, le=2100)] | None = None  # last calendar year of index events

    @field_validator("index_kinds")
    @classmethod
    def _not_empty(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if not value:
            raise ValueError('it is empty; name at least one kind, for example ["release"].')
        return value

    @model_validator(mode="after")
    def _years_in_order(self) -> Self:
        if self.first_year and self.last_year and self.first_year > self.last_year:
            raise ValueError("first_year is after last_year; swap them.")
        return self


class OutcomePlan(BaseModel):
    """Which measures, over what follow-up (METHODS 3)."""

    model_config = _STRICT
    # names of measures and of sets of measures (docs/reference/measures.md), or one such name: "standard", "all"
    measures: Annotated[tuple[Name, ...], Field(min_length=1)] = DEFAULT_MEASURES
    follow_up_months: Months = 12  # calendar months from the index date; the one-year measure uses 12
    # calendar months after the follow-up in which an offence may still be proven
    waiting_months: Annotated[int, Field(ge=0, le=60)] = 6

    @field_validator("measures", mode="before")
    @classmethod
    def _one_name(cls, value: object) -> object:
        return (value,) if isinstance(value, str) else value


class TableMeasure(BaseModel):
    """One measure of a table that is ready for analysis: a column, or for a rate a condition that is true or false."""

    model_config = _STRICT
    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]  # short name, for tables and JSON
    label: Name  # what the report calls it
    kind: Kind  # decides the unit: a rate is 0-1, a difference of rates is in points
    column: Name | None = None  # column that holds the value
    # condition on the columns that is true or false, in place of `column`; only for a rate
    when: Annotated[str, Field(min_length=1, max_length=500)] | None = None
    unit: str = ""  # what one is: "US dollars a person"
    noun: str = ""  # what people did: "were arrested"
    better: Better = Better.LOWER  # the hoped-for direction; words only, no arithmetic
    # over whom; with "those with the outcome" an empty value means that it did not happen
    support: Support = Support.ALL
    decimals: Annotated[int, Field(ge=0, le=4)] = 2  # of a shown value
    # days among those with the outcome: how long everyone was followed; with it, curves of everyone are drawn
    follow_up_months: Months | None = None

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if (self.column is None) == (self.when is None):
            raise ValueError("give either `column` or `when`, one of the two.")
        if self.when is not None and self.kind is not Kind.RATE:
            raise ValueError("`when` makes a rate; for another kind give `column`.")
        over_time = self.kind is Kind.DAYS and self.support is Support.THOSE_WITH
        if self.follow_up_months is not None and not over_time:
            raise ValueError("`follow_up_months` is for days among those with the outcome; remove it.")
        return self

    def measure(self) -> Measure:
        """The measure, without where it comes from."""
        return Measure(self.name, self.label, self.kind, self.support, self.better, self.unit, self.noun, self.decimals)


class TableControl(BaseModel):
    """A check that should find nothing: who had offended before the programme, which it cannot have changed."""

    model_config = _STRICT
    column: Name | None = None  # column that is 1 for those who had offended in the time before the start, else 0
    # condition on the columns that is true or false, in place of `column`
    when: Annotated[str, Field(min_length=1, max_length=500)] | None = None
    # the covariates that say nothing of that time; the check is made with these alone
    silent: Annotated[tuple[Name, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if (self.column is None) == (self.when is None):
            raise ValueError("give either `column` or `when`, one of the two.")
        return self

    def measure(self) -> TableMeasure:
        """The outcome of before as one of a table's measures."""
        label = "Offended in the time before the start"
        return TableMeasure(name=OFFENDED_BEFORE, label=label, kind=Kind.RATE, column=self.column, when=self.when)


class TablePlan(BaseModel):
    """A table with one row a person, ready for analysis: no linking and no index events."""

    model_config = _STRICT
    treatment: Name  # column that says who was treated
    treated_value: str = "1"  # its value for the treated
    refused_value: Name | None = None  # value of `treatment` for people who applied and were turned down
    waiting_value: Name | None = None  # value of `treatment` for people who applied and were still waiting
    # column that tells people apart; somebody in two rows is then an error, and without it nobody can know
    person: Name | None = None
    comparison_file: Name | None = None  # lies beside DATA; then of DATA the treated, and who applied, are used
    factors: tuple[Name, ...] = ()  # columns of numbers that are codes
    measures: tuple[TableMeasure, ...] = Field(min_length=1)
    control: TableControl | None = None

    @field_validator("measures")
    @classmethod
    def _one_has_curves(cls, value: tuple[TableMeasure, ...]) -> tuple[TableMeasure, ...]:
        if sum(measure.follow_up_months is not None for measure in value) > 1:
            raise ValueError("curves are drawn of one measure: give `follow_up_months` to one of them.")
        return value

    @field_validator("comparison_file")
    @classmethod
    def _plain_name(cls, value: str | None) -> str | None:
        if value is not None and Path(value).name != value:
            raise ValueError("it must be the name of a file that lies beside DATA, without a folder.")
        return value


class Plan(BaseModel):
    """Everything that decides one evaluation, fixed before outcomes are opened."""

    model_config = _STRICT
    title: Name  # what the service is called; the report's title
    provider: Name = "Not stated"  # who gave the service
    description: Annotated[str, Field(max_length=10_000)] = ""  # what the service does, in the provider's own words
    seed: Annotated[int, Field(ge=0, le=2**32 - 1)] = 1  # of everything drawn, the pseudo-starts among it
    today: dt.date | None = None  # the date a report from a table carries; a lab has its own
    service: Service = Service()
    cohort: Cohort = Cohort()
    comparison: ComparisonPlan = ComparisonPlan()
    outcomes: OutcomePlan = OutcomePlan()
    table: TablePlan | None = None
    # the headline measure for some of the people each; all are shown together, none can be added after outcomes
    sub_analyses: tuple[SubAnalysisPlan, ...] = Field(default=(), max_length=MOST_SUB_ANALYSES)

    @field_validator("sub_analyses")
    @classmethod
    def _names_differ(cls, value: tuple[SubAnalysisPlan, ...]) -> tuple[SubAnalysisPlan, ...]:
        names = [sub.name for sub in value]
        if len(set(names)) < len(names):
            raise ValueError("two of them have the same name; give each its own.")
        return value

    @model_validator(mode="after")
    def _table_or_lab(self) -> Self:
        if self.table is None and self.today is not None:
            raise ValueError("`today` is for a plan with [table]; a lab's date is set in lab.toml. Remove it.")
        if self.table is not None:
            unused = sorted({"cohort", "outcomes"} & self.model_fields_set)
            if unused:
                raise ValueError(
                    f"a plan with [table] does not use {' or '.join(f'[{u}]' for u in unused)}; remove it."
                )
            if self.comparison.covariates is None:
                raise ValueError("a plan with [table] needs `covariates` under [comparison]: list the columns.")
            _check_table(self.comparison, self.table)
        return self

    def sha256(self) -> str:
        """The hash that a report prints: of the checked values, so that comments and order do not matter."""
        return sha256_of_bytes(canonical_json(self.model_dump(mode="json")))


_OF_A_LAB = frozenset({"shares", "risk_score", "assessments", "assessment_months"})


def _check_table(comparison: ComparisonPlan, table: TablePlan) -> None:
    """What a table that is ready for analysis has no use for, or lacks."""
    if table.control is not None:
        _check_control(comparison, table, table.control)
    unused = sorted(_OF_A_LAB & comparison.model_fields_set)
    if unused:
        raise ValueError(
            f"a plan with [table] does not use {', '.join(unused)} under [comparison]; remove what it does not use."
        )
    if comparison.design in APPLIED and getattr(table, f"{comparison.design}_value") is None:
        raise ValueError(f'design "{comparison.design}" needs `{comparison.design}_value` under [table].')
    if comparison.pool != "national" and REGION not in (comparison.covariates or ()):
        raise ValueError(f"a regional pool needs the column `{REGION}` among the covariates.")


def _check_control(comparison: ComparisonPlan, table: TablePlan, control: TableControl) -> None:
    if comparison.design == "randomised":
        raise ValueError("a trial makes nothing alike, so it has no use for [table.control]; remove it.")
    strange = sorted(set(control.silent) - set(comparison.covariates or ()))
    if strange:
        raise ValueError(f"`silent` under [table.control] names what is no covariate: {', '.join(strange)}; mend it.")
    if any(measure.name == OFFENDED_BEFORE for measure in table.measures):
        raise ValueError(f"`{OFFENDED_BEFORE}` is what the check of [table.control] is called; rename the measure.")


def read_plan(path: Path, *, for_table: bool) -> Plan:
    """Read and check a plan. UsageError lists every mistake at once.

    for_table: whether the plan is used with `evaluate --table`, which needs [table], or with a lab, which has none.
    """
    plan = parse_plan(read_toml_file(path), path.name)
    if for_table and plan.table is None:
        raise UsageError(f"{path.name} has no [table]. Say there which column is the treatment and what is measured.")
    if not for_table and plan.table is not None:
        raise UsageError(f"{path.name} has a [table], which is for `evaluate --table`. Remove it, or use --table.")
    return plan


def parse_plan(raw: dict[str, Any], where: str) -> Plan:
    """Check a plan that is already a dictionary."""
    try:
        return Plan.model_validate(raw)
    except ValidationError as error:
        raise UsageError(*mistakes(error, where)) from error


def unknown_covariates(plan: Plan, known: Collection[str]) -> list[str]:
    """A sentence for each covariate and each exact factor of the plan that is not `known`."""
    chosen = plan.comparison
    asked = dict.fromkeys((*(chosen.covariates or ()), *chosen.exact))
    there = ", ".join(sorted(known))
    used = (
        chosen.covariates
        if chosen.covariates is not None
        else [n for n in known if n != RISK_SCORE or wants_risk_score(plan)]
    )
    return [
        *(
            f"`{name}` is no covariate of the register. Those there are: {there}."
            for name in asked
            if name not in known
        ),
        *find_strange(chosen, used),
    ]


def wants_risk_score(plan: Plan) -> bool:
    """Whether the lab's risk score is among the covariates: by default where something is made alike, or by name."""
    chosen = plan.comparison
    if chosen.covariates is not None:
        return RISK_SCORE in chosen.covariates
    return chosen.risk_score and chosen.design != "randomised"


def comparison_settings(plan: Plan, covariates: tuple[str, ...], *, threads: int) -> ComparisonSettings:
    """The comparison stage's settings; `covariates` is what the plan's None stands for."""
    chosen = plan.comparison
    return ComparisonSettings(
        covariates=chosen.covariates if chosen.covariates is not None else covariates,
        exact=chosen.exact,
        design=Design.RANDOMISED if chosen.design == "randomised" else Design.MATCHED,
        method=chosen.settings_of_method(),
        keep_share=chosen.keep_share,
        max_red_share=chosen.max_red_share,
        terms=chosen.terms,
        references=dict(chosen.references),
        threads=threads,
    )
