"""Which records each source holds of whom: one a person, now and then two, and which events belong to which."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from counterfoil.population.calendar import Days

Integers = npt.NDArray[np.int64]

NONE = -1


@dataclass(frozen=True, slots=True)
class Holdings:
    """The records of one source, in no order that tells anything. `first`: whether it is the person's first record."""

    person: npt.NDArray[np.int32]
    first_day: Days
    first: npt.NDArray[np.bool_]
    of_event: Integers  # the record of each event that was given

    def __len__(self) -> int:
        return len(self.person)

    def first_record_of(self, people: int) -> Integers:
        """The position of each person's first record, NONE when there is none."""
        result = np.full(people, NONE, np.int64)
        own = np.flatnonzero(self.first)
        result[self.person[own]] = own
        return result


def hold(rng: np.random.Generator, person: npt.NDArray[np.int32], date: Days, *, second_record: float) -> Holdings:
    """Records for events (person and date of each). Of people with several events, `second_record` have a second
    record, begun at one of the later events."""
    order = np.lexsort((date, person))
    sorted_person = person[order]
    starts = np.append(True, sorted_person[1:] != sorted_person[:-1]) if len(order) else np.zeros(0, np.bool_)
    group = np.cumsum(starts) - 1
    count = np.bincount(group) if len(order) else np.zeros(0, np.int64)
    splits = (count > 1) & (rng.random(len(count)) < second_record)
    at = 1 + (rng.random(len(count)) * (count - 1)).astype(np.int64)
    place = np.arange(len(order)) - np.flatnonzero(starts)[group]
    later = splits[group] & (place >= at[group])
    begins = starts | (later & (place == at[group]))
    number = np.cumsum(begins) - 1  # in order of person; then shuffled
    shuffled = rng.permutation(int(begins.sum()))
    record = shuffled[number]
    of_event = np.empty(len(order), np.int64)
    of_event[order] = record
    heads = np.flatnonzero(begins)
    back = np.empty(len(heads), np.int64)
    back[shuffled] = np.arange(len(heads))
    chosen = order[heads[back]]
    return Holdings(person[chosen], date[chosen], starts[heads[back]], of_event)
