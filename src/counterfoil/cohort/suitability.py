"""Can the method answer for this service at all? Decided from its description, before any linking (METHODS 2)."""

from __future__ import annotations

from dataclasses import dataclass

from counterfoil.domains.schema import folder, read_toml
from counterfoil.errors import Refused, UsageError

RULE = "method not suitable"


@dataclass(frozen=True, slots=True)
class Unsuitable:
    """One reason of the domain's table."""

    name: str  # what a plan says: "gangs"
    label: str  # what a reader is shown
    why: str


def unsuitable_reasons(domain: str = "justice") -> tuple[Unsuitable, ...]:
    """The domain's whole table, in its order."""
    return tuple(Unsuitable(**row) for row in read_toml(folder(domain) / "suitability.toml")["reasons"])


def check_suitable(reason: str, domain: str = "justice") -> None:
    """Refuse a service that its plan describes with a `reason` of the table; "" says that none applies."""
    if not reason:
        return
    table = {row.name: row for row in unsuitable_reasons(domain)}
    if reason not in table:
        raise UsageError(
            f"`service.unsuitable` is {reason!r}; it must be empty or one of: {', '.join(table)}. "
            "Leave it empty when none of them describes the service."
        )
    row = table[reason]
    raise Refused(f"The method is not suitable for {row.label}. {row.why}", rule=RULE)
