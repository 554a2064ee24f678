"""Every choice that decides the numbers, in words, for a report's method box."""

from __future__ import annotations

from counterfoil.comparison.checks import MATCHES_WITHIN
from counterfoil.comparison.methods import Method
from counterfoil.comparison.terms import parse_term
from counterfoil.study.comparison_plan import ComparisonPlan, comparison_facts
from counterfoil.study.inputs import Inputs
from counterfoil.study.plan import Setting

_SETTINGS = {
    Setting.CUSTODY: "in custody",
    Setting.COMMUNITY: "in the community",
    Setting.BOTH: "in custody and in the community",
}


_DESIGNS = {
    "matched": "matched comparison group",
    "refused": "matched comparison group of people who applied and were refused",
    "waiting": "matched comparison group of people who applied and were still waiting",
}
_POOLS = {
    "region": "people of the regions that those who took part are of",
    "both": "people of the same region where they are enough and alike, else of the whole country; both are shown",
}
_WITHIN = "people of the same region, each compared within it"  # by a method that can


def method_facts(inputs: Inputs) -> tuple[tuple[str, str], ...]:
    """Every choice that decides the numbers, in words (METHODS 4: programs differ in these). Settings, no results."""
    chosen = inputs.plan.comparison
    where = ("Setting of the service", _SETTINGS[inputs.plan.service.setting])
    welch = "Welch, unequal variances, two-sided; Kish effective size and reliability weights for the comparison"
    score = ("Beside it", "Newcombe's score interval for rates; a disagreement on significance is said in the headline")
    adjusted = ("Adjusted", _adjusted_words(chosen))
    covariates = ("Covariates", ", ".join(inputs.covariates) or "none")
    terms = [term for term in chosen.terms if all(each.column in inputs.covariates for each in parse_term(term))]
    products = ("Squares and products", ", ".join(terms) or "none")
    if chosen.design == "randomised":
        test = "for rates the test of two proportions, its interval unpooled; for other measures Welch"
        arms = (
            "randomised: those given a place by lot and those of the list who were not; "
            if inputs.candidates
            else "randomised: "
        )
        design = ("Design", f"{arms}everyone counts once")
        return (where, design, covariates, products, *inputs.facts.method, ("Test", test), score, adjusted)
    return (
        where,
        ("Design", _DESIGNS[chosen.design]),
        *((("Pool", _pool_words(chosen)),) if chosen.pool != "national" else ()),
        *comparison_facts(chosen),
        ("Balance", "standardised mean difference over the treated SD before matching"),
        covariates,
        products,
        *inputs.facts.method,
        ("Test", welch),
        score,
        adjusted,
    )  # fmt: skip


def _pool_words(chosen: ComparisonPlan) -> str:
    return _WITHIN if chosen.pool == "region" and chosen.chosen_method in MATCHES_WITHIN else _POOLS[chosen.pool]


def _adjusted_words(chosen: ComparisonPlan) -> str:
    model = (
        "regression on the covariates (logistic for rates, log-linear for counts), one column for ten outcomes, those "
        "furthest apart first"
    )
    if chosen.design == "randomised":
        return f"{model}, each group by itself, averaged over everyone; robust errors (HC3)"
    if chosen.target == "everyone":
        return f"{model}, each group by itself, averaged over everyone; robust errors (HC3)"
    if chosen.chosen_method is Method.OVERLAP:
        return f"{model}, each group by itself, averaged over the weights; robust errors (HC3)"
    return (
        f"{model} among the comparison group, taken to the treated; robust errors (HC3), by pair for nearest matching, "
        "Abadie and Imbens's for nearest matching with replacement; none for days among those with the outcome"
    )
