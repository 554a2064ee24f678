"""Every choice that decides the numbers, in words, for a report's method box."""

from __future__ import annotations

from counterfoil.study.comparison_plan import comparison_facts
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
    "region": "people of the same region, each compared within it",
    "both": "people of the same region where they are enough and alike, else of the whole country; both are shown",
}


def method_facts(inputs: Inputs) -> tuple[tuple[str, str], ...]:
    """Every choice that decides the numbers, in words (METHODS 4: programs differ in these). Settings, no results."""
    chosen = inputs.plan.comparison
    where = ("Setting of the service", _SETTINGS[inputs.plan.service.setting])
    welch = "Welch, unequal variances, two-sided; Kish effective size and reliability weights for the comparison"
    score = ("Beside it", "Newcombe's score interval for rates; a disagreement on significance is said in the headline")
    adjusted = ("Adjusted", _adjusted_words(trial=chosen.design == "randomised"))
    if chosen.design == "randomised":
        test = "for rates the test of two proportions, its interval unpooled; for other measures Welch"
        arms = (
            "randomised: those given a place by lot and those of the list who were not; "
            if inputs.candidates
            else "randomised: "
        )
        return (where, ("Design", f"{arms}everyone counts once"), ("Test", test), score, adjusted)
    return (
        where,
        ("Design", _DESIGNS[chosen.design]),
        *((("Pool", _POOLS[chosen.pool]),) if chosen.pool != "national" else ()),
        *comparison_facts(chosen),
        ("Balance", "standardised mean difference over the treated SD before matching"),
        ("Covariates", ", ".join(chosen.covariates or inputs.covariates)),
        ("Squares and products", ", ".join(chosen.terms) or "none"),
        *inputs.facts.method,
        ("Test", welch),
        score,
        adjusted,
    )  # fmt: skip


def _adjusted_words(*, trial: bool) -> str:
    model = (
        "regression on the covariates (logistic for rates, log-linear for counts), one column for ten outcomes, those "
        "furthest apart first"
    )
    if trial:
        return f"{model}, each group by itself, averaged over everyone; robust errors (HC3)"
    return (
        f"{model} among the comparison group, taken to the treated; robust errors (HC3), by pair for nearest matching, "
        "Abadie and Imbens's for nearest matching with replacement; none for days among those with the outcome"
    )
