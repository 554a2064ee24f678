"""The lab's own static risk score in one evaluation: fitted on people of earlier years, given to all who are compared.

Selection has set those people apart by lot, and none of them is treated, in the pool or among those who applied. So
their outcomes may be opened before the design is frozen, and nobody else's are.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from counterfoil.cohort.register import RegisterPaths
from counterfoil.comparison.pictures import NAVY, drawing, line, text
from counterfoil.domains.schema import folder, read_toml
from counterfoil.outcomes.register import outcomes_of
from counterfoil.outcomes.static_score import Calibration, ScoreTerms, StaticScore, fit_static_score

PICTURE = "risk_score.svg"
TOO_FEW = "left out: too few people of earlier years to fit one on"
LEFT, BOTTOM, SIDE = 60, 350, 300  # of the picture's square


@dataclass(frozen=True, slots=True)
class RiskScore:
    """A score, how well it foretells and on whose years it was fitted. Inside the lab only."""

    score: StaticScore
    calibration: Calibration
    years: tuple[int, int]

    def facts(self) -> dict[str, Any]:
        """For the manifest."""
        return {
            "outcome": self.score.terms.outcome,
            "years": list(self.years),
            "coefficients": dict(self.score.coefficients),
            "calibration": asdict(self.calibration),
        }

    def words(self) -> str:
        """What a report says of it."""
        first, last = self.years
        return f"logistic regression, fitted on people of earlier years ({first} to {last}) who were set apart by lot"


def score_terms(domain: str) -> ScoreTerms | None:
    """The domain's terms, or None when it has no score."""
    place = folder(domain) / "risk_score.toml"
    if not place.is_file():
        return None
    raw: Mapping[str, Any] = read_toml(place)
    return ScoreTerms(
        outcome=raw["outcome"],
        factors=tuple(raw["factors"]),
        numbers=tuple(raw["numbers"]),
        squares=tuple(raw.get("squares", ())),
        logs=tuple(raw.get("logs", ())),
    )


def fit_risk_score(
    earlier: pa.Table, register: RegisterPaths, terms: ScoreTerms, *, threads: int = 1
) -> RiskScore | None:
    """The score of the people set apart (`Selected.earlier`), or None when they are too few."""
    if not earlier.num_rows:
        return None
    outcome = pc.cast(outcomes_of(earlier["index_event_id"], register, terms.outcome), pa.float64())
    person = np.asarray(earlier["person_number"].to_numpy(), dtype=np.int64)
    found = fit_static_score(earlier, _floats(outcome), terms, person=person, threads=threads)
    if found is None:
        return None
    years = pc.min_max(pc.cast(earlier["index_year"], pa.int64())).as_py()
    return RiskScore(*found, years=(int(years["min"]), int(years["max"])))


def _floats(column: pa.ChunkedArray) -> npt.NDArray[np.float64]:
    return np.asarray(pc.fill_null(column, float("nan")).to_numpy(), dtype=np.float64)


def calibration_picture(score: RiskScore) -> bytes:
    """What was foretold and what happened, by tenths of its events, a fifth of people left out in turn (SVG)."""
    bands = score.calibration.bands
    top = min(1.0, 1.1 * max(max(b.foretold, b.happened) for b in bands))
    places = [(LEFT + SIDE * b.foretold / top, BOTTOM - SIDE * b.happened / top) for b in bands]
    right, above, middle = LEFT + SIDE, BOTTOM - SIDE, LEFT + SIDE / 2
    said = f"{100.0 * top:.0f}"
    body = [
        line(LEFT, BOTTOM, right, BOTTOM),
        line(LEFT, BOTTOM, LEFT, above),
        line(LEFT, BOTTOM, right, above),
        f'<polyline points="{" ".join(f"{x:.1f},{y:.1f}" for x, y in places)}" fill="none" stroke="{NAVY}"/>',
        *(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{NAVY}"/>' for x, y in places),
        text(LEFT, BOTTOM + 18, "0", anchor="middle"),
        text(right, BOTTOM + 18, said, anchor="middle"),
        text(LEFT - 8, above + 4, said, anchor="end"),
        text(middle, BOTTOM + 36, "Foretold, per cent", anchor="middle"),
        text(10, above - 10, "Happened, per cent"),
    ]
    return drawing("Static risk score: calibration, inside the lab", body, BOTTOM + 50).svg.encode()
