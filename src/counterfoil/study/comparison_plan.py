"""The plan's [comparison]: which method makes the comparison group, with which of its settings (METHODS 4).

A key that the chosen method does not use is an error that names the keys it does use.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from counterfoil.comparison import presets
from counterfoil.comparison.checks import find_own_problems
from counterfoil.comparison.methods import (
    CoarsenedExact,
    EntropyBalancing,
    InverseProbability,
    Kernel,
    Method,
    MethodSettings,
    Nearest,
    Order,
    Overlap,
    Radius,
    Subclassification,
    Target,
)
from counterfoil.comparison.terms import parse_term
from counterfoil.errors import UsageError

RISK_SCORE = "risk_score"  # the covariate that is the lab's own score
DEFAULT_CALIPERS = (0.2, 0.1, 0.05, 0.02, 0.01)
DEFAULT_CALIPER, PSMATCH2_BANDWIDTH = 0.2, 0.06  # psmatch2's own default, on the propensity

# Keys that belong to a method; the rest of [comparison] goes with every matched design.
USES: Mapping[Method, frozenset[str]] = {
    Method.RADIUS: frozenset({"calipers_sd", "exact", "keep_share", "conventions"}),
    Method.NEAREST: frozenset({"ratio", "replace", "caliper", "order", "exact", "keep_share", "conventions"}),
    Method.INVERSE_PROBABILITY: frozenset({"target"}),
    Method.OVERLAP: frozenset(),
    Method.ENTROPY_BALANCING: frozenset({"moments"}),
    Method.KERNEL: frozenset({"bandwidth", "exact", "keep_share", "conventions"}),
    Method.SUBCLASSIFICATION: frozenset({"subclasses", "target"}),
    Method.COARSENED_EXACT: frozenset({"cutpoints", "groups", "keep_share"}),
}
OF_A_METHOD = frozenset().union(*USES.values())
OF_POOLS = frozenset({"pool", "applied", "assessments", "assessment_months"})  # what a trial has no use for
APPLIED = ("refused", "waiting")  # designs that compare with people of the list itself
REGION = "region"  # the covariate within which a regional pool is matched
# Where another program's conventions change what a method uses; what is not here they do not have.
USES_BY_CONVENTION: Mapping[tuple[str, Method], frozenset[str]] = {
    ("matchit", Method.NEAREST): USES[Method.NEAREST],
    ("psmatch2", Method.NEAREST): USES[Method.NEAREST] - {"replace", "order"},
    ("psmatch2", Method.RADIUS): (USES[Method.RADIUS] - {"calipers_sd"}) | {"caliper"},
    ("psmatch2", Method.KERNEL): USES[Method.KERNEL],
}

# Methods that go by the propensity score.
SCORED = frozenset(Method) - {Method.ENTROPY_BALANCING, Method.COARSENED_EXACT}

Name = Annotated[str, Field(min_length=1, max_length=200)]


class ComparisonPlan(BaseModel):
    """How the comparison group is made (METHODS 4)."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    # "randomised" when lots were drawn: nothing is matched, balance is shown; in a lab the other arm is those of the
    # list who were refused or are waiting. "refused" and "waiting" compare with these, matched or weighted
    design: Literal["matched", "randomised", "refused", "waiting"] = "matched"
    # where comparison people come from: everywhere, only the person's own region, or both side by side; then the
    # regional one is the headline if it is large enough and alike
    pool: Literal["national", "region", "both"] = "national"
    # whether those of the list who applied and did not take part are compared beside the headline
    applied: bool = True
    # three runs: everyone, only people with an assessment, and those with its needs too; where enough have one
    assessments: bool = True
    assessment_months: Annotated[int, Field(ge=1, le=120)] = 36  # how old an assessment may be at the index date
    # radius when matched; a trial has none
    method: (
        Literal[
            "radius",
            "nearest",
            "inverse_probability",
            "overlap",
            "entropy_balancing",
            "kernel",
            "subclassification",
            "coarsened_exact",
        ]
        | None
    ) = None
    # radius: widths to try, in SD of the logit propensity pooled within groups; balance decides
    calipers_sd: tuple[Annotated[float, Field(gt=0, le=1)], ...] = DEFAULT_CALIPERS
    ratio: Annotated[int, Field(ge=1, le=100)] = 1  # nearest: partners for each treated person
    replace: bool = False  # nearest: whether a person may be the partner of several
    # nearest (and radius as psmatch2): how far a partner may be, in the unit of `conventions`; ours is as `calipers_sd`
    caliper: Annotated[float, Field(gt=0)] | Literal["none"] | None = None
    # nearest without replacement: who chooses first
    order: Literal["largest", "smallest", "closest"] = "largest"
    # kernel: where the weight reaches 0, in the unit of `conventions`; 0.2 by default, 0.06 as psmatch2
    bandwidth: Annotated[float, Field(gt=0)] | None = None
    # inverse_probability, subclassification: whom the answer is for
    target: Literal["treated", "everyone"] = "treated"
    # entropy_balancing: 1 makes means alike, 2 the means of the numbers' squares too
    moments: Annotated[int, Field(ge=1, le=2)] = 1
    subclasses: Annotated[int, Field(ge=2, le=100)] = 6  # subclassification: cuts at quantiles of the propensity
    # coarsened_exact: number = where its bands begin; Sturges' rule by default
    cutpoints: dict[str, tuple[float, ...]] = Field(default_factory=dict)
    groups: dict[str, tuple[tuple[Name, ...], ...]] = Field(default_factory=dict)  # coarsened_exact: levels as one
    # radius, nearest, kernel: caliper, ties and common support as in MatchIt or Stata's psmatch2
    conventions: Literal["counterfoil", "matchit", "psmatch2"] = "counterfoil"
    keep_share: Annotated[float, Field(gt=0, le=1)] = 0.95  # share of the treated that must find a comparison
    exact: tuple[Name, ...] = ()  # factors within which people are matched
    covariates: tuple[Name, ...] | None = None  # None: every covariate of the register, the shares and the score
    # shares of other departments whose covariates are added, for example ["employment"]; they must be linked
    shares: tuple[Name, ...] = ()
    # the lab's own static risk score as a covariate, fitted on people of earlier years who are set apart by lot
    risk_score: bool = True
    terms: tuple[Name, ...] = ()  # squares and products, also in the model: "age^2", "age*priors"
    # share of terms over 0.10 SD apart above which the run is refused
    max_red_share: Annotated[float, Field(ge=0, le=1)] = 0.2
    # factor = level that the others are read against; the commonest by default
    references: dict[str, str] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _unused_is_an_error(self) -> Self:
        if self.covariates is not None and (strange := find_strange(self, self.covariates)):
            raise ValueError(" ".join(strange))
        self._check_shares()
        if self.design == "randomised":
            unused = sorted(({"method", "max_red_share"} | OF_POOLS | OF_A_METHOD) & self.model_fields_set)
            if unused:
                raise ValueError(f"a randomised design does not use {', '.join(unused)}; remove what it does not use.")
            return self
        if self.pool != "national" and self.design in APPLIED:
            raise ValueError(f'design "{self.design}" has a pool of its own; remove `pool`.')
        if not self.calipers_sd:
            raise ValueError("calipers_sd is empty; give at least one width, for example [0.2, 0.1].")
        self._check_method_uses()
        problems = find_own_problems(self.settings_of_method())
        if problems:
            raise ValueError(" ".join(problems))
        return self

    def _check_shares(self) -> None:
        named = self.covariates
        unused = [s for s in self.shares if named is not None and not any(name.startswith(f"{s}_") for name in named)]
        if unused:
            raise ValueError(
                f"`covariates` names nothing of {', '.join(unused)}, so that `shares` changes nothing there. "
                " Name its covariates too, leave `covariates` out, or remove it from `shares`."
            )

    def _check_method_uses(self) -> None:
        chosen = self.chosen_method
        uses = USES[chosen]
        if self.conventions != "counterfoil" and "conventions" in uses:
            found = USES_BY_CONVENTION.get((self.conventions, chosen))
            if found is None:
                raise ValueError(
                    f'MatchIt has no method "{chosen.value}"; remove `conventions`, or use method "nearest".'
                )
            uses = found
        unused = sorted((OF_A_METHOD & self.model_fields_set) - uses)
        if unused:
            theirs = f"It uses {', '.join(sorted(uses))}." if uses else "It has no settings of its own."
            raise ValueError(f'method "{chosen.value}"{self._said()} does not use {", ".join(unused)}. {theirs}')
        if self.conventions == "psmatch2" and chosen is Method.RADIUS and not isinstance(self.caliper, float):
            raise ValueError("radius with psmatch2's conventions needs `caliper`, a width on the propensity (0 to 1).")

    def _said(self) -> str:
        has = self.conventions != "counterfoil" and "conventions" in USES[self.chosen_method]
        return f" with {self.conventions}'s conventions" if has else ""

    @property
    def chosen_method(self) -> Method:
        """The method of a matched design."""
        return Method.RADIUS if self.method is None else Method(self.method)

    def settings_of_method(self) -> MethodSettings:
        """The settings that `compare` takes."""
        if self.conventions == "psmatch2":
            return self._as_psmatch2()
        target = Target(self.target)
        match self.chosen_method:
            case Method.RADIUS:
                return Radius(tuple(self.calipers_sd))
            case Method.NEAREST:
                return self._nearest()
            case Method.INVERSE_PROBABILITY:
                return InverseProbability(target)
            case Method.OVERLAP:
                return Overlap()
            case Method.ENTROPY_BALANCING:
                return EntropyBalancing(self.moments)
            case Method.KERNEL:
                return Kernel() if self.bandwidth is None else Kernel(self.bandwidth)
            case Method.SUBCLASSIFICATION:
                return Subclassification(self.subclasses, target)
            case Method.COARSENED_EXACT:
                return CoarsenedExact(dict(self.cutpoints), dict(self.groups))

    def _nearest(self) -> Nearest:
        order, given = Order(self.order), self._given_caliper()
        if self.conventions == "matchit":
            return presets.matchit(ratio=self.ratio, replace=self.replace, caliper=given, order=order)
        caliper = DEFAULT_CALIPER if self.caliper is None else given
        return Nearest(ratio=self.ratio, replace=self.replace, caliper=caliper, order=order)

    def _as_psmatch2(self) -> MethodSettings:
        if self.chosen_method is Method.NEAREST:
            return presets.psmatch2_nearest(neighbours=self.ratio, caliper=self._given_caliper())
        if self.chosen_method is Method.RADIUS:
            return presets.psmatch2_radius(self._given_caliper() or DEFAULT_CALIPER)
        return presets.psmatch2_kernel(PSMATCH2_BANDWIDTH if self.bandwidth is None else self.bandwidth)

    def _given_caliper(self) -> float | None:
        return self.caliper if isinstance(self.caliper, float) else None


def find_strange(plan: ComparisonPlan, covariates: Collection[str]) -> list[str]:
    """A sentence for each setting of one covariate that names what is none. Nothing later would say so: a comparison
    beside the headline leaves out the settings of covariates that it does not have."""
    named = {f"`{key}` names": tuple(getattr(plan, key)) for key in ("references", "cutpoints", "groups")}
    try:
        named |= {f"The term {term!r} names": tuple(o.column for o in parse_term(term)) for term in plan.terms}
    except UsageError as wrong:
        return list(wrong.problems)
    return [
        f"{where} `{name}`, which is not among the covariates. Mend or remove it."
        for where, names in named.items()
        for name in dict.fromkeys(names)
        if name not in covariates
    ]


def comparison_facts(plan: ComparisonPlan) -> tuple[tuple[str, str], ...]:
    """How the comparison group of a matched design is made, in words, for the report's table of settings."""
    uses = USES[plan.chosen_method]
    score = ("Propensity", "logistic regression on every covariate of the plan, full maximum likelihood")
    kept = f"at least {plan.keep_share:.0%} of the treated, or the result is marked unreliable"
    return (
        *((score,) if plan.chosen_method in SCORED else ()),
        *_method_facts(plan.settings_of_method()),
        *((("Matched within", ", ".join(plan.exact) or "no factor"),) if "exact" in uses else ()),
        *((("Kept", kept),) if "keep_share" in uses else ()),
    )


def _method_facts(method: MethodSettings) -> tuple[tuple[str, str], ...]:
    """The method's own choices: programs differ in each of them."""
    match method:
        case Radius():
            listed = ", ".join(f"{caliper:g}" for caliper in method.calipers)
            return (
                ("Matching", "radius, with replacement: each treated person's comparison people share weight 1"),
                ("Caliper", f"the best of {listed}, in {_unit(method)}"),
                *_support(method),
            )
        case Nearest():
            return _nearest_facts(method)
        case InverseProbability():
            return (("Weighting", f"inverse probability, to make the groups like {_target(method.target)}"),)
        case Overlap():
            return (("Weighting", "overlap: each person's probability of having been in the other group"),)
        case EntropyBalancing():
            what = "means" if method.moments == 1 else "means, and means of squares,"
            return (("Weighting", f"entropy balancing: {what} of the covariates exactly those of the treated"),)
        case Kernel():
            return (
                ("Matching", "kernel (Epanechnikov), with replacement: nearer people share more of weight 1"),
                ("Bandwidth", f"{method.bandwidth:g}, in {_unit(method)}"),
                *_support(method),
            )
        case Subclassification():
            of = _target(method.target)
            return (("Matching", f"{method.subclasses} subclasses at quantiles of the propensity of {of}"),)
        case CoarsenedExact():
            return (("Matching", "coarsened exact: the same band or group of every covariate"), *_coarsening(method))


def _nearest_facts(method: Nearest) -> tuple[tuple[str, str], ...]:
    again = "with" if method.replace else "without"
    reach = "none" if method.caliper is None else f"{method.caliper:g}, in {_unit(method)}"
    order = () if method.replace else (("Order", f"{method.order.value} first"),)
    matching = f"nearest {method.ratio}:1, {again} replacement, on the {method.ruler.scale.value}"
    ties = {
        "person": "by what people's rows hold, never by their order",
        "rows": "by the order of the rows",
        "share": "shared",
    }
    return (("Matching", matching), ("Caliper", reach), *order, ("Ties", ties[method.ties.value]), *_support(method))


def _unit(method: Radius | Nearest | Kernel) -> str:
    return f"{method.ruler.unit.value} ({method.ruler.scale.value})"


def _support(method: Radius | Nearest | Kernel) -> tuple[tuple[str, str], ...]:
    return (("Common support", "only people within the other group's range"),) if method.ruler.common_support else ()


def _target(target: Target) -> str:
    return "the treated" if target is Target.TREATED else "everyone"


def _coarsening(method: CoarsenedExact) -> tuple[tuple[str, str], ...]:
    bands = [f"{name}: {', '.join(f'{point:g}' for point in points)}" for name, points in method.cutpoints.items()]
    together = [f"{name}: {', '.join(' or '.join(g) for g in groups)}" for name, groups in method.groups.items()]
    return (
        ("Bands", "; ".join([*bands, "other numbers by Sturges' rule"])),
        *((("Levels as one", "; ".join(together)),) if together else ()),
    )
