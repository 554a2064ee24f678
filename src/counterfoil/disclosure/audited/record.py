"""What an audit found, for `audit.json`: true counts and attacks, for checkers inside the lab and nobody else (R12)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from counterfoil.disclosure.differencing import nearly_alike
from counterfoil.disclosure.intruder import Attack, Interval
from counterfoil.disclosure.settings import DisclosureSettings


@dataclass(frozen=True, slots=True)
class Repair:
    """What was hidden, each as (kind, name), and the attacks that made it necessary."""

    hidden: tuple[tuple[str, str], ...]
    attacks: tuple[Attack, ...]


@dataclass(frozen=True, slots=True)
class Record:
    """The audit of a report: `intervals` of what is printed now; `repairs` of what was to be printed, in turn."""

    intervals: tuple[Interval, ...]
    repairs: tuple[Repair, ...]
    earlier: tuple[str, ...]  # runs of earlier reports that share people
    changed: tuple[str, ...]  # of them, those whose people or outcomes are no longer what they were
    close: tuple[str, ...]  # of them, those of nearly the same people: a person decides (R18)
    open_already: tuple[str, ...]  # targets that earlier reports alone give away
    settings: DisclosureSettings

    def findings(self) -> list[dict[str, Any]]:
        """What a person must decide before the report may leave, as clearance reads it (R18, R28)."""
        cells = [nearly_alike(one) for one in self.close]
        cells += [f"{one} has other people or outcomes now than when it was made" for one in self.changed]
        return [{"rule": "R18", "cell": cell, "never": False} for cell in cells]

    def facts(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "threshold": self.settings.threshold,
            "width": self.settings.min_width,
            "earlier": list(self.earlier),
            "changed": list(self.changed),
            "close": list(self.close),
            "given_away_by_earlier_reports": list(self.open_already),
            "targets": [_target(one) for one in self.intervals],
            "repaired": [
                {"hidden": [" ".join(filter(None, one)) for one in each.hidden], "attacks": _attacks(each.attacks)}
                for each in self.repairs
            ],
        }


def _target(one: Interval) -> dict[str, Any]:
    return {
        "target": one.target.label,
        "low": one.low,
        "high": one.high,
        "tight": one.tight,
        "small": one.target.small,
        "passed": one.passed,
    }


def _attacks(attacks: Sequence[Attack]) -> list[dict[str, Any]]:
    return [
        {"rule": one.breach.value, "target": one.target, "low": one.low, "high": one.high, "attack": one.sentence}
        for one in attacks
    ]
