"""Life courses as columns: sanctions, and the offences that each dealt with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

import numpy as np
import numpy.typing as npt

from counterfoil.population.calendar import MISSING, Days
from counterfoil.population.draws import Floats

Codes = npt.NDArray[np.int8]
Integers = npt.NDArray[np.int32]
Booleans = npt.NDArray[np.bool_]

ADULT = 18.0  # years of age


@dataclass(frozen=True, slots=True)
class Start:
    """Where each life course (re)starts: a person whose next first offence is known."""

    person: Integers
    next_offence: Days
    priors: Integers  # sanctions so far
    been_inside: Booleans
    group: Codes  # of the last first offence, -1 when there was none

    def take(self, who: npt.NDArray[np.integer] | Booleans) -> Start:
        """Some of them."""
        return Start(*(getattr(self, f.name)[who] for f in fields(self)))


@dataclass(frozen=True, slots=True)
class Sanctions:
    """One entry a sanction. A side one (a left-over offence, a breach) starts no new risk: its `exponential` is nan."""

    person: Integers
    step: Integers  # 0 for a person's first; side sanctions carry the step that they belong to
    side: Booleans
    offence_day: Days  # of the first offence
    proven: Days
    disposal: Codes
    group: Codes
    tier: Codes
    recordable: Booleans
    priors: Integers  # sanctions before, side ones left out
    been_inside: Booleans  # before this sanction
    sentence_days: Integers
    reception: Days
    release: Days
    ending: Codes
    remand_only: Booleans
    recall: Days  # of the recall after the release, MISSING when none
    recall_days: Integers
    index_date: Days  # from when there is a new risk: release from custody, else proof
    score: Floats
    exponential: Floats  # the draw that decides when the next offence is

    def __len__(self) -> int:
        return len(self.person)

    def take(self, who: npt.NDArray[np.integer] | Booleans) -> Sanctions:
        """Some of them."""
        return Sanctions(*(getattr(self, f.name)[who] for f in fields(self)))


@dataclass(frozen=True, slots=True)
class Offences:
    """One entry an offence; `sanction` is a position in Sanctions."""

    sanction: Integers
    day: Days
    group: Codes
    tier: Codes
    recordable: Booleans
    breach: Booleans

    def __len__(self) -> int:
        return len(self.sanction)

    def take(self, who: npt.NDArray[np.integer] | Booleans) -> Offences:
        """Some of them."""
        return Offences(*(getattr(self, f.name)[who] for f in fields(self)))


@dataclass(frozen=True, slots=True)
class Careers:
    """Sanctions and the offences that they dealt with."""

    sanctions: Sanctions
    offences: Offences


def join(parts: Sequence[Careers]) -> Careers:
    """Careers one after another; the offences' positions follow."""
    offsets = np.cumsum([0, *(len(part.sanctions) for part in parts)])[:-1].astype(np.int32)
    sanctions = Sanctions(
        *(np.concatenate([getattr(part.sanctions, f.name) for part in parts]) for f in fields(Sanctions))
    )
    moved = [
        replace(part.offences, sanction=part.offences.sanction + offset)
        for part, offset in zip(parts, offsets, strict=True)
    ]
    return Careers(
        sanctions, Offences(*(np.concatenate([getattr(m, f.name) for m in moved]) for f in fields(Offences)))
    )


def select(careers: Careers, keep: Booleans) -> Careers:
    """Careers with some sanctions left out, and their offences with them."""
    position = np.cumsum(keep, dtype=np.int32) - 1
    offences = careers.offences.take(keep[careers.offences.sanction])
    return Careers(careers.sanctions.take(keep), replace(offences, sanction=position[offences.sanction]))


def next_offence_day(sanctions: Sanctions, days: Floats) -> Days:
    """The date that lies `days` at liberty after the index date; time back inside on recall does not count."""
    plain = sanctions.index_date + 1 + np.minimum(days, 40_000).astype(np.int32)
    recalled = (sanctions.recall != MISSING) & (plain >= sanctions.recall)
    return np.where(recalled, plain + sanctions.recall_days, plain).astype(np.int32)
