"""R1: no estimate is computed for display unless enough people were submitted, matched, and not left out."""

from __future__ import annotations

from counterfoil.cohort.values import Attrition, Step
from counterfoil.comparison.values import Comparison
from counterfoil.disclosure.settings import DisclosureSettings
from counterfoil.errors import Fault, Refused


def people_submitted(attrition: Attrition) -> int:
    """People in the list, one row a person where that is known, so that rows repeated or unusable do not count.

    An attrition that does not say is a fault: the gate never opens on an unknown.
    """
    known = [attrition.people[s] for s in (Step.SUBMITTED, Step.ONE_ROW_A_PERSON) if s in attrition.people]
    if Step.SUBMITTED not in attrition.people:
        raise Fault("The number of people submitted is not known, so rule R1 cannot be checked.")
    return min(known)


def check_gate(attrition: Attrition, comparison: Comparison | None, settings: DisclosureSettings) -> None:
    """Raise Refused(rule="R1") with the rule's number, never the cohort's (R25).

    With `comparison` None only the list is checked; call it so before matching, and again with the comparison before
    any outcome is opened.
    """
    submitted = people_submitted(attrition)
    _check_list(submitted, attrition.started, settings)
    if comparison is not None:
        check_groups(comparison.n_treated_matched, comparison.n_comparison, settings)


def _check_list(submitted: int, started: int | None, settings: DisclosureSettings) -> None:
    if submitted < settings.min_submitted:
        raise Refused(
            f"Fewer than {settings.min_submitted:.0f} people were submitted. "
            f"A result needs at least {settings.min_submitted:.0f}.",
            rule="R1",
        )
    if started is not None and started - submitted > settings.max_missing_share * started:
        raise Refused(
            f"More than {settings.max_missing_share:.0%} of the people who started the service are missing from "
            "the list. Send everyone who started, whether or not they finished.",
            rule="R1",
        )


def check_groups(treated: int, others: int, settings: DisclosureSettings) -> None:
    """R1 for people who are, or could be, compared. Before matching it says no for lists of whom hardly anyone is left:
    a comparison could only say so with the number.
    """
    if min(treated, others) < settings.min_group:
        raise Refused(
            f"Fewer than {settings.min_group:.0f} people could be analysed in one of the groups. "
            f"A result needs at least {settings.min_group:.0f} in each.",
            rule="R1",
        )
