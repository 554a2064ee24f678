"""The entries of a provider's list that people should look at: ambiguous ones, and those that nearly linked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from counterfoil.errors import Fault
from counterfoil.lab.make import OpenLab
from counterfoil.lab.progress import Progress, silent
from counterfoil.linkage.cohort import LinkStatus
from counterfoil.linkage.overrides import COHORT
from counterfoil.linkage.prepare import prepare
from counterfoil.linkage.review.values import Item, Pair, Reason, pair_of
from counterfoil.linkage.search import Answer, PeopleSearch, PersonFound
from counterfoil.linkage.spine import Spine, resources

_WHY = {
    LinkStatus.AMBIGUOUS: "the entry comes as near to another person",
    LinkStatus.NOT_FOUND: "the entry was not linked, and this person is near",
}


@dataclass(frozen=True, slots=True)
class Entries:
    """Entries as they are compared, and as they were read, by their names. Holds names: for the linker alone."""

    prepared: pa.Table
    raw: Mapping[str, Mapping[str, Any]]


def find_doubtful(
    lab: OpenLab, spine: Spine, entries: pa.Table, *, progress: Progress = silent
) -> tuple[tuple[Item, ...], Entries]:
    """Pairs of an entry and the record that weighs most of each person whom it may be; the nearest first.

    `entries`: standardised, with raw columns; record_id is the entry's name, and one that comes twice is asked once.
    An entry is asked about when it is ambiguous, or not linked and within the same bits of the cohort's threshold.
    """
    search = PeopleSearch.open(lab, progress)
    threshold, within = lab.settings.thresholds.cohort, spine.specification.cohort.ambiguous_within
    first = {name: at for at, name in reversed(list(enumerate(entries["record_id"].to_pylist())))}
    rows = [at for _, at in sorted(first.items())]
    items: list[Item] = []
    for number, at in enumerate(rows):
        progress("Looking at the entries of the list", number / len(rows))
        entry = entries.slice(at, 1)
        answer = search.find_standard(entry, least=threshold - within)
        items += _items(entry["record_id"][0].as_py(), answer, within)
    wanted = {record.record_id for item in items for record in (item.pair.left, item.pair.right)}
    kept = spine.kept(resources=resources(lab))
    if kept is None:
        raise Fault("The lab's encoded table cannot be read. Run `counterfoil link` again.")
    doubtful = entries.take(pa.array([at for name, at in sorted(first.items()) if name in wanted], pa.int64()))
    prepared = prepare(doubtful, spine.specification, first_id=kept.index.records, hot=kept.hot)
    raw = {row["record_id"]: row for row in doubtful.to_pylist()}
    return tuple(sorted(items, key=lambda item: (-item.value, item.pair))), Entries(prepared, raw)


def _items(name: str, answer: Answer, within: float) -> Iterator[Item]:
    if answer.status is LinkStatus.LINKED or not answer.people:
        return
    best = answer.people[0].match_weight
    for person in answer.people:
        if best - person.match_weight < within:
            yield Item(_pair(name, person), Reason.ENTRY, person.match_weight, _WHY[answer.status], person.match_weight)


def _pair(name: str, person: PersonFound) -> Pair:
    record = person.records[0]  # those that weigh most come first
    return pair_of(COHORT, name, record.source, record.record_id)
