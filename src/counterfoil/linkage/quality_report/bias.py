"""The bias suite: for each hypothesis made-up pairs that embody it, the spine's own model, and one of three statements.

A statement says what was looked for and what was seen, "not found", "found and mitigated" or "found, partly or not
fixed", with the figures. It never says that the model is unbiased: another hypothesis may be true.

*Found and mitigated*: plain equality of keys treats the group worse than the reference, the spine's model does not.
*Found, partly or not fixed*: the model does, on the made-up pairs or, where the truth is known, beyond chance.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import cache
from typing import Any

import numpy as np
import pyarrow as pa

from counterfoil.domains.schema import folder, read_toml
from counterfoil.linkage import engine as engines
from counterfoil.linkage.blocking import count_within
from counterfoil.linkage.clusters import Strictness, cluster, links_of
from counterfoil.linkage.engine import Engine
from counterfoil.linkage.model import Resources
from counterfoil.linkage.prepare import ID, prepare
from counterfoil.linkage.quality import exact_baseline
from counterfoil.linkage.spine import Spine
from counterfoil.records.standardise import standardise_people
from counterfoil.warehouse import query

TOLERANCE = 0.10  # share of made-up pairs, over the reference's, that may end wrong before a hypothesis counts as found
LOWEST = -60.0  # bits: every compared pair of the suite is wanted
_FIRST_BIRTH = dt.date(1955, 3, 13)
_DAYS_APART = 23
_TODAY = dt.date(2026, 1, 31)
_OUTWARD = ("LS6", "M14", "B13", "NG7", "S11", "L15", "BS5", "CF24", "SE15", "N15", "E8", "NE6", "LE2", "BD7", "PR1")
_LETTERS = "ABDEFGHJLNPQRSTUWXYZ"  # of inward codes


class Statement(Enum):
    """All that may be said of a hypothesis."""

    NOT_FOUND = "not found"
    MITIGATED = "found and mitigated"
    NOT_FIXED = "found, partly or not fixed"


@dataclass(frozen=True, slots=True)
class PairSet:
    """Made-up pairs: names of both records, whether they are one person, and the contexts each is tried in."""

    names: tuple[tuple[str, str], ...]
    is_same: bool
    contexts: tuple[str, ...]
    sex: str


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """`sets` embody it; `reference` is what they are set beside; `group` is SQL for records of a synthetic truth."""

    name: str
    label: str
    hypothesis: str
    mitigation: str
    group: str
    sets: tuple[PairSet, ...]
    reference: tuple[PairSet, ...]


@dataclass(frozen=True, slots=True)
class Suite:
    """What a domain asks, and what the other fields of its made-up records say in each context."""

    hypotheses: tuple[Hypothesis, ...]
    contexts: Mapping[str, Mapping[str, str]]


@dataclass(frozen=True, slots=True)
class Outcome:
    """Made-up pairs of one kind. `wrong` by the model at medium, `wrong_by_keys` by plain equality of keys."""

    pairs: int
    wrong: int
    wrong_by_keys: int
    mean_weight: float | None  # bits, of the pairs that were compared

    @property
    def share(self) -> float:
        """Share of pairs that the model gets wrong, 0-1."""
        return self.wrong / self.pairs if self.pairs else 0.0

    @property
    def share_by_keys(self) -> float:
        """Share of pairs that plain equality of keys gets wrong, 0-1."""
        return self.wrong_by_keys / self.pairs if self.pairs else 0.0

    def to_json(self) -> dict[str, Any]:
        """As quality.json has it."""
        return {
            "pairs": self.pairs,
            "wrong": self.wrong,
            "share_wrong": round(self.share, 4),
            "share_wrong_by_exact_keys": round(self.share_by_keys, 4),
            "mean_weight": None if self.mean_weight is None else round(self.mean_weight, 2),
        }


@cache
def load_suite(domain: str) -> Suite:
    """Read the domain's bias.toml."""
    raw = read_toml(folder(domain) / "bias.toml")
    return Suite(tuple(_hypothesis(each, raw["reference"]) for each in raw["hypotheses"]), raw["contexts"])


def _hypothesis(raw: Mapping[str, Any], reference: Mapping[str, Any]) -> Hypothesis:
    sets, beside = [], []
    for kind in ("same", "different"):
        if kind not in raw:
            continue
        names = reference[kind] if raw[kind] == "reference" else raw[kind]
        contexts = tuple(raw.get(f"{kind}_contexts", reference[f"{kind}_contexts"]))
        sets.append(_pair_set(names, kind, contexts, raw.get("sex", "M")))
        others = tuple(_reference_contexts(raw, kind, contexts, reference))
        beside.append(_pair_set(reference[kind], kind, others, "M"))
    return Hypothesis(
        raw["name"], raw["label"], raw["hypothesis"], raw["mitigation"], raw["group"], tuple(sets), tuple(beside)
    )


def _reference_contexts(
    raw: Mapping[str, Any], kind: str, contexts: tuple[str, ...], reference: Mapping[str, Any]
) -> Sequence[str]:
    """The same contexts where the hypothesis is about names, the plain ones where it is about the context."""
    if kind == "same" and "reference_contexts" in raw:
        return list(raw["reference_contexts"])
    own_names = raw[kind] != "reference"
    own_contexts = f"{kind}_contexts" in raw
    return list(reference[f"{kind}_contexts"]) if own_contexts or not own_names else contexts


def _pair_set(names: Sequence[Sequence[str]], kind: str, contexts: tuple[str, ...], sex: str) -> PairSet:
    return PairSet(tuple((a, b) for a, b in names), kind == "same", contexts, sex)


@dataclass(frozen=True, slots=True)
class _Pair:
    """One made-up pair: rows 2i and 2i+1 of the records."""

    hypothesis: str
    is_reference: bool
    is_same: bool


def run_suite(suite: Suite, spine: Spine, *, engine: Engine, resources: Resources) -> Mapping[str, Mapping[str, Any]]:
    """For each hypothesis the outcomes of its made-up pairs and of the reference: {name: {"group", "reference"}}.

    Each holds "missed" (pairs of one person) and "false" (pairs of two), an `Outcome` each.
    """
    pairs, records = made_up(suite)
    prepared = prepare(records, spine.specification)
    weights, together = _judged(prepared, spine, engine=engine, resources=resources)
    by_keys = exact_baseline(prepared)
    first = _rows_of_pairs(prepared)
    keys_say = by_keys[first[:, 0]] == by_keys[first[:, 1]]
    answer: dict[str, dict[str, dict[str, Outcome]]] = {}
    for hypothesis in suite.hypotheses:
        for is_reference, side in ((False, "group"), (True, "reference")):
            for is_same, kind in ((True, "missed"), (False, "false")):
                at = [
                    i
                    for i, p in enumerate(pairs)
                    if (p.hypothesis, p.is_reference, p.is_same) == (hypothesis.name, is_reference, is_same)
                ]
                outcome = _outcome(np.array(at, dtype=np.int64), is_same, weights, together, keys_say)
                answer.setdefault(hypothesis.name, {}).setdefault(side, {})[kind] = outcome
    return answer


def _outcome(at: Any, is_same: bool, weights: Any, together: Any, keys_say: Any) -> Outcome:
    known = weights[at][~np.isnan(weights[at])]
    return Outcome(
        pairs=int(at.size),
        wrong=int((together[at] != is_same).sum()),
        wrong_by_keys=int((keys_say[at] != is_same).sum()),
        mean_weight=float(known.mean()) if known.size else None,
    )


def statement_of(sides: Mapping[str, Mapping[str, Outcome]], truth_gaps: Sequence[float], gap: float) -> Statement:
    """`truth_gaps`: how much worse the group fares in each error rate, where the truth says so beyond chance."""
    model, keys = [], []
    for kind in ("missed", "false"):
        group, reference = sides["group"][kind], sides["reference"][kind]
        if group.pairs:
            model.append(group.share - reference.share)
            keys.append(group.share_by_keys - reference.share_by_keys)
    if any(each > TOLERANCE for each in model) or any(each > gap for each in truth_gaps):
        return Statement.NOT_FIXED
    return Statement.MITIGATED if any(each > TOLERANCE for each in keys) else Statement.NOT_FOUND


def made_up(suite: Suite) -> tuple[list[_Pair], pa.Table]:
    """Every pair, and its records, standardised as a source's are; `record_id` says the pair and the side."""
    pairs: list[_Pair] = []
    rows: list[dict[str, Any]] = []
    for hypothesis in suite.hypotheses:
        for is_reference, sets in ((False, hypothesis.sets), (True, hypothesis.reference)):
            for each in sets:
                for names in each.names:
                    for context in each.contexts:
                        rows += _records(len(pairs), names, each.sex, suite.contexts[context])
                        pairs.append(_Pair(hypothesis.name, is_reference, each.is_same))
    numbers = pa.array([row.pop("number") for row in rows], pa.string())
    raw = pa.Table.from_pylist(rows, _RAW)
    table = standardise_people(raw, source="made up", today=_TODAY, standins=frozenset())
    return pairs, table.set_column(table.column_names.index("pnc_std"), "pnc_std", numbers)


_RAW = pa.schema(
    [
        ("record_id", pa.string()), ("forename1", pa.string()), ("forename2", pa.string()), ("surname", pa.string()),
        ("date_of_birth", pa.date32()), ("sex", pa.string()), ("postcode", pa.string()),
    ]
)  # fmt: skip


def _records(pair: int, names: tuple[str, str], sex: str, context: Mapping[str, str]) -> list[dict[str, Any]]:
    births, postcodes = _births(pair, context["date"]), _postcodes(pair, context["postcode"])
    numbers = {"same": (f"N{pair}", f"N{pair}"), "one": (f"N{pair}", None), "none": (None, None)}[context["numbers"]]
    rows = []
    for side in (0, 1):
        *forenames, surname = names[side].split(" ")
        rows.append(
            {
                "record_id": f"{pair:06d}{'ab'[side]}",
                "forename1": forenames[0],
                "forename2": " ".join(forenames[1:]) or None,
                "surname": surname,
                "date_of_birth": births[side],
                "sex": sex,
                "postcode": postcodes[side],
                "number": numbers[side],
            }
        )
    return rows


def _births(pair: int, kind: str) -> tuple[dt.date | None, dt.date | None]:
    born = _FIRST_BIRTH + dt.timedelta(days=(pair * _DAYS_APART) % 16_000)
    if (born.month, born.day) == (1, 1):
        born += dt.timedelta(days=1)
    january = dt.date(born.year, 1, 1)
    others = {
        "same": (born, born),
        "digit": (born, born.replace(day=born.day + (1 if born.day % 10 < 8 and born.day < 28 else -1))),
        "swapped": (born.replace(day=min(born.day, 12)), dt.date(born.year, min(born.day, 12), born.month)),
        "january": (january, january),
        "half january": (born, january),
        "other": (born, born + dt.timedelta(days=3_333)),
        "missing": (born, None),
    }
    return others[kind]


def _postcodes(pair: int, kind: str) -> tuple[str | None, str | None]:
    one, near, other = _postcode(pair, 0), _postcode(pair, 1), _postcode(pair + 1, 2)
    return {"same": (one, one), "outward": (one, near), "other": (one, other), "missing": (one, None)}[kind]


def _postcode(pair: int, step: int) -> str:
    letters = _LETTERS[pair % 20] + _LETTERS[(pair // 20 + 7 * step) % 20]
    return f"{_OUTWARD[pair % len(_OUTWARD)]} {(pair + step) % 9 + 1}{letters}"


def _rows_of_pairs(prepared: pa.Table) -> Any:
    """Record numbers of each pair's records, shape (pairs, 2): records are ordered by their name, that is by pair."""
    numbers = prepared[ID].to_numpy()
    return numbers.reshape(-1, 2)


def _judged(prepared: pa.Table, spine: Spine, *, engine: Engine, resources: Resources) -> tuple[Any, Any]:
    """For each pair its match weight in bits (NaN: no rule compared it), and whether the spine makes it one person."""
    candidates = sum(count.pairs for count in count_within(prepared, spine.specification.rules))
    scored = engines.score(
        prepared, spine.model, threshold=LOWEST, pairs=candidates, engine=engine, resources=resources
    )
    own = query(f"SELECT * FROM s WHERE {ID}_l // 2 = {ID}_r // 2 ORDER BY {ID}_l, {ID}_r", {"s": scored})
    weights = np.full(prepared.num_rows // 2, np.nan)
    weights[own[f"{ID}_l"].to_numpy() // 2] = own["match_weight"].to_numpy()
    labels = cluster(prepared, links_of(own), spine.thresholds, spine.specification.guards).labels[Strictness.MEDIUM]
    at = _rows_of_pairs(prepared)
    return weights, labels[at[:, 0]] == labels[at[:, 1]]
