"""The negative control: an outcome of before the programme, compared without what says something of that time.

Which outcome and which covariates stay is the domain's to say, as data (`negative_control.toml`). The comparison is
made and frozen with the others, before any outcome is opened.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from counterfoil.comparison.values import Comparison, ComparisonSettings, Design
from counterfoil.disclosure import DisclosureSettings, TrustResult, WayGroup
from counterfoil.outcomes.negative_control import NegativeControl
from counterfoil.study.way_designs import Designed, Way, estimate_ways, make_designs

BoolArray = npt.NDArray[np.bool_]
FloatArray = npt.NDArray[np.float64]
NAME = "year_before"  # a key of the wording


def design_control(
    control: NegativeControl | None,
    people: pa.Table,
    treated: str,
    settings: ComparisonSettings,
    headline: Comparison,
    rules: DisclosureSettings,
    before: pa.Table | None = None,
) -> tuple[Designed, ...]:
    """The comparison of the headline's treated people without what says something of the time before; at most one.

    `people`, `settings`: the headline's. `before`: what was known of them when that time began; it stands for the
    history that is left out, where any is. None in a trial, and none where no covariate would be left.
    """
    if control is None or settings.design is not Design.MATCHED:
        return ()
    left = tuple(name for name in settings.covariates if name in control.silent)
    if not left:
        return ()
    if before is not None and len(left) < len(settings.covariates):
        left = (*left, *before.column_names)
        people = pa.Table.from_arrays([*people.columns, *before.columns], [*people.column_names, *before.column_names])
    exact = tuple(name for name in settings.exact if name in control.silent)
    analysed = ~headline.treated | (headline.weight > 0)
    return make_designs(people, treated, settings, [Way(NAME, analysed, left, exact)], rules)


def with_control(
    found: TrustResult,
    control: NegativeControl | None,
    designs: Sequence[Designed],
    outcomes: Mapping[str, FloatArray],
    rules: DisclosureSettings,
) -> TrustResult:
    """`outcomes`: of the headline's rows, the control's among them."""
    if control is None or not designs:
        return found
    (made,) = estimate_ways(designs, outcomes, control.measure, rules)
    way = replace(made, group=WayGroup.CHECK)
    return replace(found, control=way, control_outcome=outcomes[control.measure.name])
