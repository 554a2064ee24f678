"""Kinds of offence: how common, how serious, how proven."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from counterfoil.population.draws import Floats, pick, pick_rows

Codes = npt.NDArray[np.int8]
Booleans = npt.NDArray[np.bool_]

TIERS = ("indictable", "either_way", "summary")


@dataclass(frozen=True, slots=True)
class OffenceKind:
    """One offence group. Shares are of offences; `severity` is on a scale where theft from a shop is about 0."""

    code: str
    men: float
    women: float
    severity: float
    tiers: tuple[float, float, float]  # weights of TIERS
    recordable: float  # share that is recordable
    days_to_proof: float  # multiplies the usual time to a conviction
    burst: float  # multiplies how many offences are dealt with together
    acquisitive: bool = False


KINDS = (
    OffenceKind("violence", 19, 19, 0.55, (0.06, 0.44, 0.50), 1.0, 1.2, 0.7),
    OffenceKind("robbery", 1.6, 0.7, 2.2, (1.0, 0.0, 0.0), 1.0, 1.3, 0.8, acquisitive=True),
    OffenceKind("public_order", 10, 9, -0.1, (0.03, 0.35, 0.62), 1.0, 0.9, 0.8),
    OffenceKind("sexual", 2.0, 0.2, 1.9, (0.45, 0.50, 0.05), 1.0, 2.6, 1.1),
    OffenceKind("burglary_domestic", 3.2, 0.9, 1.5, (0.1, 0.9, 0.0), 1.0, 1.1, 1.3, acquisitive=True),
    OffenceKind("burglary_other", 2.5, 0.7, 0.9, (0.05, 0.95, 0.0), 1.0, 1.0, 1.4, acquisitive=True),
    OffenceKind("theft", 18, 37, 0.0, (0.0, 0.9, 0.1), 1.0, 0.7, 1.9, acquisitive=True),
    OffenceKind("handling", 1.5, 1.4, 0.4, (0.0, 1.0, 0.0), 1.0, 1.2, 1.0, acquisitive=True),
    OffenceKind("fraud", 2.6, 6.0, 0.4, (0.08, 0.9, 0.02), 1.0, 2.2, 1.8, acquisitive=True),
    OffenceKind("breach", 2.5, 2.6, 0.1, (0.05, 0.3, 0.65), 1.0, 0.5, 0.6),
    OffenceKind("vehicle_taking", 2.0, 0.4, 0.5, (0.0, 0.4, 0.6), 1.0, 0.9, 1.2, acquisitive=True),
    OffenceKind("theft_from_vehicle", 1.3, 0.2, 0.3, (0.0, 1.0, 0.0), 1.0, 0.8, 1.6, acquisitive=True),
    OffenceKind("motoring", 10, 7.0, -0.6, (0.02, 0.08, 0.90), 0.55, 1.2, 1.1),
    OffenceKind("drink_driving", 7.0, 6.0, -0.3, (0.0, 0.0, 1.0), 1.0, 0.6, 0.4),
    OffenceKind("criminal_damage", 5.0, 3.5, -0.1, (0.03, 0.32, 0.65), 1.0, 0.9, 0.9),
    OffenceKind("drugs_supply", 2.8, 1.2, 1.5, (0.55, 0.45, 0.0), 1.0, 2.0, 0.9),
    OffenceKind("drugs_possession", 11, 4.0, -0.4, (0.0, 0.95, 0.05), 1.0, 0.6, 0.7),
    OffenceKind("other", 3.0, 4.0, 0.1, (0.05, 0.35, 0.60), 0.9, 1.4, 0.8),
)
GROUPS = tuple(kind.code for kind in KINDS)
SEVERITY = np.array([kind.severity for kind in KINDS])
DAYS_TO_PROOF = np.array([kind.days_to_proof for kind in KINDS])
BURST = np.array([kind.burst for kind in KINDS])
ACQUISITIVE = np.array([kind.acquisitive for kind in KINDS])
BREACH = GROUPS.index("breach")

_SHARES = np.array([[kind.men for kind in KINDS], [kind.women for kind in KINDS]])
_TIER_WEIGHTS = np.array([kind.tiers for kind in KINDS])
_RECORDABLE = np.array([kind.recordable for kind in KINDS])


def draw_groups(rng: np.random.Generator, female: Booleans) -> Codes:
    """An offence group for each offence, by the sex of the person."""
    result = np.zeros(len(female), np.int8)
    for sex in (0, 1):
        who = np.flatnonzero(female == bool(sex))
        result[who] = pick(rng, _SHARES[sex], len(who))
    return result


def draw_tiers(rng: np.random.Generator, group: Codes) -> Codes:
    """Indictable only, either way or summary."""
    return pick_rows(rng, _TIER_WEIGHTS[group]).astype(np.int8)


def draw_recordable(rng: np.random.Generator, group: Codes, tier: Codes) -> Booleans:
    """Whether the offence is recordable; only summary ones may not be."""
    recorded = rng.random(len(group)) < _RECORDABLE[group]
    return np.asarray(recorded | (tier != TIERS.index("summary")), np.bool_)


def scale_of(chance: float, group: Codes) -> Floats:
    """A chance for each offence that grows with its severity."""
    return np.clip(chance * (1.0 + SEVERITY[group]), 0.0, 0.9)
