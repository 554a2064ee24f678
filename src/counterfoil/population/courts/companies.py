"""Companies that are prosecuted: they stand among the magistrates' defendants."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from counterfoil.population.calendar import Days
from counterfoil.population.counters import Draws
from counterfoil.population.courts.cases import COURTS_IN_REGION, FIRST_MAGISTRATES
from counterfoil.population.settings import LAST_DAY
from counterfoil.population.strings import decode, glue
from counterfoil.population.tables import regions

Integers = npt.NDArray[np.int64]

_FIRST = ("Northern", "Castle", "Riverside", "Albion", "Premier", "Swift", "Hillside", "Anchor", "Globe", "Meadow")
_SECOND = ("Haulage", "Foods", "Scaffolding", "Motors", "Lettings", "Catering", "Waste", "Logistics", "Roofing")
_ENDING = ("Ltd", "Limited", "LTD", "PLC", "LLP")


@dataclass(frozen=True, slots=True)
class Companies:
    """One entry a case; `number` names it in draws."""

    number: Integers
    first_hearing: Days
    court: Integers

    def __len__(self) -> int:
        return len(self.number)


def draw_companies(draws: Draws, size: int) -> Companies:
    """Cases of companies, each heard once."""
    number = np.arange(size, dtype=np.int64)
    return Companies(
        number=number,
        first_hearing=draws.whole(number, "company heard", FIRST_MAGISTRATES, LAST_DAY - 300).astype(np.int32),
        court=draws.whole(number, "company court", 0, len(regions()) * COURTS_IN_REGION),
    )


def company_names(draws: Draws, number: Integers) -> pa.Array:
    """As a clerk writes them: Northern Haulage Ltd."""
    return glue(
        decode(draws.whole(number, "company 1", 0, len(_FIRST)), _FIRST),
        " ",
        decode(draws.whole(number, "company 2", 0, len(_SECOND)), _SECOND),
        " ",
        decode(draws.pick(number, "company 3", (0.5, 0.25, 0.1, 0.05, 0.1)), _ENDING),
    )
