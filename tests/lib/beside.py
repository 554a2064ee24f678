"""What stands beside the measures, made up, for tests of what may be shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from counterfoil.disclosure import (
    Beside,
    Gaps,
    GroupTable,
    HiddenBias,
    SampleFacts,
    SubResult,
    TrustResult,
    UnitCost,
    WayGroup,
    WayResult,
)
from counterfoil.effect import Cox, Inference, LogRank, MonthlyCurve, RestrictedMeans, Survival, Ties, TimeToFirst
from counterfoil.effect.sub_analyses import SubAnalysis
from counterfoil.effect.values import ErrorKind
from lib.results import DAYS, comparison_of, rate_effect

TWELVE = (18, 22, 19, 21, 17, 18, 19, 16, 17, 15, 16, 14)  # 212 of 820
MANY = (810, 860, 840, 800, 780, 770, 760, 740, 720, 700, 680, 640)  # 9,100 of 29,000


def inference(estimate: float, half: float, p: float = 0.02) -> Inference:
    """An estimate with its interval."""
    return Inference(estimate, estimate - half, estimate + half, p, half / 1.96, ErrorKind.HC0)


def curve(events: Sequence[int], people: int) -> MonthlyCurve:
    """A group without weights."""
    return MonthlyCurve(people, tuple(events), tuple((np.cumsum(events) / people).tolist()))


def survival_of(
    treated: Sequence[int] = TWELVE,
    comparison: Sequence[int] = MANY,
    people: tuple[int, int] = (820, 29_000),
) -> Survival:
    """Everyone's time to the first event."""
    one = np.array([-0.2])
    means = RestrictedMeans(inference(322.4, 8.0), inference(311.2, 2.0), inference(11.2, 8.3), 365.25)
    hazard = Cox(inference(-0.2, 0.14), one, one, one, Ties.EFRON)
    test = LogRank(7.0, 0.008, float(sum(treated)), 240.0, ErrorKind.HC0)
    estimates = TimeToFirst(means, test, hazard)
    return Survival(DAYS, len(treated), estimates, curve(treated, people[0]), curve(comparison, people[1]))


def sub_result(
    name: str, members: np.ndarray[tuple[int], np.dtype[np.bool_]], events: int, *, rule: str = "", p: float = 0.03
) -> SubResult:
    """A sub-analysis of the treated in `members`, of whom `events` have the outcome, beside a large group."""
    people = int(members.sum())
    if rule:
        return SubResult(name, "sex: F", members, None, None, rule)
    effect = rate_effect((events, people), (9_100, 29_000), ess=17_000)
    found = SubAnalysis(name, effect, p, p < 0.05)
    return SubResult(name, "sex: F", members, comparison_of(people, 29_000), found, "")


def way_result(
    name: str,
    members: np.ndarray[tuple[int], np.dtype[np.bool_]],
    group: WayGroup,
    *,
    events: int,
    comparison: tuple[int, int] = (9_100, 29_000),
    rule: str = "",
    label: str = "",
) -> WayResult:
    """Another way to ask, of the treated in `members`, of whom `events` have the outcome."""
    people = int(members.sum())
    if rule:
        return WayResult(name, members, None, None, rule, group, label)
    effect = rate_effect((events, people), comparison, ess=17_000)
    return WayResult(name, members, comparison_of(people, comparison[1]), effect, "", group, label)


def trust_of(outcome: np.ndarray[tuple[int], np.dtype[np.float64]], *, before: int = 300) -> TrustResult:
    """Other ways of 820 people, 212 of them with the outcome; `before`: with the outcome of before, beside 36.6%."""
    rows = np.arange(820)
    everyone, nearer, south = np.ones(820, np.bool_), rows >= 100, rows < 615
    ways = (
        way_result("entropy", everyone, WayGroup.METHOD, events=212, comparison=(9_000, 29_000)),
        way_result("nearest", everyone, WayGroup.METHOD, events=212, comparison=(250, 820)),
        way_result("inverse", everyone, WayGroup.METHOD, events=0, rule="balance"),
        way_result("caliper", nearer, WayGroup.CALIPER, events=int(outcome[nearer].sum()), label="0.01"),
        way_result("caliper", rows >= 3, WayGroup.CALIPER, events=int(outcome[3:].sum()), label="0.02"),
        way_result("site", south, WayGroup.SITE, events=int(outcome[south].sum()), label="47"),
    )
    control = way_result("year_before", everyone, WayGroup.CHECK, events=before, comparison=(10_600, 29_000))
    bias = HiddenBias(1.72, 1.38, 1.24, None, 80)
    return TrustResult(ways, bias, control, (rows < before).astype(np.float64), 0.4)


def kinds(counts: dict[str, int]) -> dict[str, np.ndarray[tuple[int], np.dtype[np.bool_]]]:
    """People of each kind, one kind after the other."""
    ends = np.cumsum(list(counts.values()))
    return {kind: (np.arange(ends[-1]) < end) & (np.arange(ends[-1]) >= end - counts[kind])
            for kind, end in zip(counts, ends, strict=True)}  # fmt: skip


def profile() -> tuple[GroupTable, ...]:
    """Who 820 people were: as it is, bands and groups of too few, and one in which all are alike."""
    return (
        GroupTable("Sex", kinds({"female": 205, "male": 615})),
        GroupTable(
            "Age at the index date",
            kinds({"under 18": 4, "18 to 20": 96, "21 to 24": 300, "25 to 29": 413, "30 to 34": 7}),
            ordered=True,
        ),
        GroupTable("Ethnicity", kinds({"Asian": 6, "Black": 90, "mixed": 8, "white": 716})),
        GroupTable("Index offence", kinds({"robbery": 820, "fraud and forgery": 0})),
    )


def everything() -> Beside:
    """A report with all of it: 820 analysed, 212 of them with the outcome."""
    rows = np.arange(820)
    outcome = (rows % 82 < 21).astype(np.float64)  # 210, spread evenly
    outcome[[30, 31]] = 1.0
    women, rest = rows < 205, rows >= 205
    sub_result("Completed", rest, int(outcome[rest].sum()), p=0.02)
    parts = (
        sub_result("Women", women, int(outcome[women].sum()), p=0.68),
        replace(
            sub_result("Completed", rest, int(outcome[rest].sum()), p=0.02), about="completed: yes", after_start=True
        ),
        sub_result("North", rows < 9, 0, rule="R1"),
        sub_result("South", rows < 90, 0, rule="balance"),
    )
    return Beside(
        members=np.ones(820, np.bool_),
        headline=outcome,
        survival=survival_of(),
        sub_analyses=parts,
        sample=SampleFacts(gaps=Gaps.FOUND, repeated=True, completers_only=True, requests=5, changed=True),
        costs=(UnitCost("reoffending_frequency", 12_000.0, "£", "a made-up source, 2023/24 prices"),),
        trust=trust_of(outcome),
        tables=profile(),
    )
