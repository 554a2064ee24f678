"""The outcomes of one evaluation: the plan's measures, each from the register or from the share that holds it."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from counterfoil.cohort.register import Machine, RegisterPaths
from counterfoil.domains.shares import load_share
from counterfoil.errors import UsageError
from counterfoil.lab.make import OpenLab
from counterfoil.outcomes.catalogue import Definition, catalogue_of
from counterfoil.outcomes.measures import Measure
from counterfoil.outcomes.measuring import FollowUp
from counterfoil.outcomes.negative_control import negative_control_of
from counterfoil.outcomes.register import check_weights, measure
from counterfoil.outcomes.shares import measure_share
from counterfoil.study.plan import Plan
from counterfoil.units import Kind

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


def measures_of(lab: OpenLab, plan: Plan) -> tuple[Measure, ...]:
    """The measures that the plan asks for, its sets spelled out, with the follow-up in their labels."""
    return tuple(one.labelled(plan.outcomes.follow_up_months) for one in _asked(lab, plan))


def find_unmeasurable(lab: OpenLab, plan: Plan) -> list[str]:
    """A sentence for each measure of the plan that this lab cannot take: unknown, without weights, share not linked."""
    catalogue = catalogue_of(lab.settings.domain)
    if problems := catalogue.unknown(plan.outcomes.measures):
        return problems
    try:
        check_weights(_asked(lab, plan), lab.settings.weights, lab.settings.domain)
    except UsageError as error:
        problems += error.problems
    problems += _find_uncountable(lab)
    return problems + [
        f"The plan measures from the share {name}, which is not linked. Run counterfoil link {lab.paths.root} "
        f"--share {name} first, or leave out: {', '.join(one.measure.name for one in from_it)}."
        for name, from_it in _by_share(_asked(lab, plan)).items()
        if name and lab.paths.latest_share_keys(name) is None
    ]


def _find_uncountable(lab: OpenLab) -> list[str]:
    """A sentence for each cost of lab.toml that no report could have a line of."""
    definitions = catalogue_of(lab.settings.domain).definitions
    counted = {n for n, one in definitions.items() if one.measure.kind is Kind.COUNT and not one.measure.exposure}
    return [
        f"`costs.per_event` in lab.toml names `{name}`, which is no measure that counts events a person. Name such a "
        "measure, for example reoffending_frequency, or remove it."
        for name in lab.settings.costs.per_event
        if name not in counted
    ]


def check_gateways(lab: OpenLab, plan: Plan) -> None:
    """Refused when the plan measures from a share whose legal gateway is closed today."""
    for name in filter(None, _by_share(_asked(lab, plan))):
        load_share(lab.settings.domain, name).gateway.check_open(lab.settings.date())


def open_outcomes(
    lab: OpenLab, plan: Plan, register: RegisterPaths, people: pa.Table, machine: Machine
) -> Mapping[str, FloatArray]:
    """Every measure of the plan, and the negative control, for `people` (index_event_id, follow_from), row by row; NaN
    where not measured.

    An event may stand in several rows: a doubtful entry may be somebody of the pool, from a day of its own. What
    happened is added up by event, so each further row of one is measured by itself.
    """
    turn = _turns(people["index_event_id"])
    turns = [np.flatnonzero(turn == number) for number in range(int(turn.max(initial=0)) + 1)]
    found: dict[str, FloatArray] = {}
    with ThreadPoolExecutor(max(machine.threads, 1)) as pool:  # each has a connection of its own
        of_turns = pool.map(lambda rows: _measured(lab, plan, register, people.take(pa.array(rows)), machine), turns)
        for rows, measured in zip(turns, of_turns, strict=True):
            for name, values in measured.items():
                found.setdefault(name, np.full(people.num_rows, np.nan))[rows] = values
    return found


def _turns(events: pa.ChunkedArray) -> IntArray:
    """For each row, how often its event stood in a row before it."""
    event = np.asarray(events.to_numpy(), np.int64)
    order = np.argsort(event, kind="stable")
    first = np.searchsorted(event[order], event[order], side="left")
    turn = np.empty(len(event), np.int64)
    turn[order] = np.arange(len(event)) - first
    return turn


def _measured(
    lab: OpenLab, plan: Plan, register: RegisterPaths, people: pa.Table, machine: Machine
) -> Mapping[str, FloatArray]:
    follow_up = FollowUp(plan.outcomes.follow_up_months, plan.outcomes.waiting_months)
    domain = lab.settings.domain
    found: dict[str, FloatArray] = {}
    for share, definitions in _by_share(_opened(lab, plan)).items():
        names = [one.measure.name for one in definitions]
        if share:
            measured = measure_share(
                people, register, lab.paths, share, names, follow_up,
                today=lab.settings.date(), domain=domain, machine=machine,
            )  # fmt: skip
        else:
            measured = measure(
                people, register, follow_up,
                domain=domain, measures=names, weights=lab.settings.weights, machine=machine,
            )  # fmt: skip
        found |= {name: _floats(measured[name]) for name in names}
    return found


def _asked(lab: OpenLab, plan: Plan, *, exposures: bool = False) -> list[Definition]:
    catalogue = catalogue_of(lab.settings.domain)
    names = catalogue.resolve(plan.outcomes.measures)
    return [catalogue.definitions[name] for name in (catalogue.with_exposures(names) if exposures else names)]


def _opened(lab: OpenLab, plan: Plan) -> list[Definition]:
    control = negative_control_of(lab.settings.domain)
    asked = _asked(lab, plan, exposures=True)
    if control is None or any(one.measure.name == control.measure.name for one in asked):
        return asked
    return [*asked, catalogue_of(lab.settings.domain).definitions[control.measure.name]]


def _by_share(definitions: list[Definition]) -> dict[str, list[Definition]]:
    """What is measured from the register (""), and from each share."""
    found: dict[str, list[Definition]] = {}
    for one in definitions:
        found.setdefault(one.share, []).append(one)
    return found


def _floats(column: pa.ChunkedArray) -> FloatArray:
    filled = pc.fill_null(pc.cast(column, pa.float64()), float("nan"))
    return np.asarray(filled.to_numpy(), dtype=np.float64)
