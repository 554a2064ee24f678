"""`make bench-linkage`: training, scoring, linking, a cohort and a search, beside Splink, recordlinkage and plain SQL.

Every engine gets the same records and, for scoring, the same trained model. After the times it prints how far apart the
weights are and how well each found the true pairs, and writes that to build/bench/linkage-answers.json. The default is
100,000 and 1,000,000 records; `python -m benchmarks.linkage_growth` shows how cost grows to ten million.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import duckdb

import counterfoil
from benchmarks import linkage_data, peer_splink, search_lab
from benchmarks.harness import RESULTS, Work, measure

PLACE = RESULTS / "linkage"
SMALL, LARGE = 100_000, 1_000_000
HUGE = 3_000_000
JUSTICE_SEARCH = PLACE / "search-justice.json"
COHORT = 1_000
SEARCHES = 1_000
PEERS = Path("build") / "peers" / "bin" / "python"  # an environment of its own (scripts/set_up_peers.sh)
OURS, SPLINK, SQL, RECORDLINKAGE = "counterfoil", "splink", "sql join", "recordlinkage"


@dataclass(frozen=True, slots=True)
class Answer:
    """How well one engine found the true pairs at weight 0, and how far its weights lie from Splink's."""

    work: str
    engine: str
    n: int
    pairs: int
    precision: float
    recall: float
    f1: float
    largest_weight_difference: float | None


def main() -> None:
    """Make records and a model (not timed), measure, then compare the answers."""
    PLACE.mkdir(parents=True, exist_ok=True)
    rows = measure([*works(SMALL), *works(LARGE), *huge_works(), *justice_works()], "linkage")
    ours = {(row.work, row.n): row for row in rows if row.engine == OURS}
    for row in rows:
        if row.engine != OURS and (mine := ours.get((row.work, row.n))):
            times, memory = row.seconds / mine.seconds, mine.peak_mb / row.peak_mb
            print(f"{row.work:<44} {row.n:>10,}  {row.engine}: {times:.1f} x our time; our memory {memory:.2f} x")
    if JUSTICE_SEARCH.is_file():
        print(f"each search, justice model, milliseconds: {JUSTICE_SEARCH.read_text('utf-8').strip()}")
    answers = [answer for n in (SMALL, LARGE) for answer in compare(n)]
    print_answers(answers)
    path = RESULTS / "linkage-answers.json"
    path.write_text(json.dumps([asdict(answer) for answer in answers], indent=1) + "\n", "utf-8")


def records(n: int) -> Path:
    """The file of `n` records, made when it is not there."""
    path = PLACE / f"records-{n}.parquet"
    return path if path.is_file() else linkage_data.make(path, n)


def model(n: int) -> Path:
    """A model that Splink trained on `n` records, without term frequencies in the iterations."""
    path = PLACE / f"model-{n}.json"
    if not path.is_file():
        peer_splink.train(str(records(n)), str(path), term_frequencies=False)()
    return path


def cohort(n: int) -> Path:
    """A thousand people to look for among `n` records: 850 who are there and 150 who are not."""
    path = PLACE / f"cohort-{n}.parquet"
    if not path.is_file():
        other = linkage_data.make(PLACE / "records-other.parquet", 10_000, seed=99)
        columns = ", ".join(linkage_data.COLUMNS)
        there = f"SELECT {columns} FROM '{records(n)}' USING SAMPLE 850 ROWS (reservoir, 5)"
        strange = f"SELECT {columns} FROM '{other}' LIMIT 150"
        numbered = f"SELECT {10**9} + row_number() OVER () AS unique_id, * FROM ({there} UNION ALL {strange})"
        duckdb.sql(f"COPY ({numbered}) TO '{path}'")
    return path


def pairs_of(engine: str, n: int) -> Path:
    """Where an engine's scored pairs lie."""
    return PLACE / f"pairs-{engine.replace(' ', '-')}-{n}.parquet"


def works(n: int) -> list[Work]:
    """What is measured on `n` records."""
    given = {"records": str(records(n)), "model": str(model(n))}
    found = [
        *_both("score: block and score, whole process", n, "score", given),
        *_both("score: block and score, without encoding", n, "score_encoded_only", given, alone=True),
        *_both("train: u and m, no term frequencies in EM", n, "train", _training(n, tf=False)),
        *_both("train: u and m, term frequencies in EM", n, "train", _training(n, tf=True)),
        *_both("link: train, score, cluster", n, "link", {"records": given["records"]}),
        *_both("link: 1,000 people to all records", n, "cohort", given | {"cohort": str(cohort(n))}),
        *_both("search: 1,000 people, one at a time", n, "search", given | {"cohort": str(cohort(n))}, alone=True),
    ]
    found.append(_sql(n))
    if n <= SMALL:
        found.append(_recordlinkage(n))
    return found


def huge_works() -> list[Work]:
    """Three million records, whose candidate pairs are nine times those of one million: ours alone, in one run."""
    if "--no-huge" in sys.argv:
        return []
    given = {"records": str(records(HUGE)), "model": str(model(LARGE)), "out": str(pairs_of(OURS, HUGE))}
    return [Work("score: block and score, whole process", OURS, counterfoil.__version__, HUGE, f"{_HERE}:score", given)]


def justice_works() -> list[Work]:
    """A search under the justice model, whose derived columns, nicknames and aliases the other lacks."""
    if "--no-justice" in sys.argv:
        return []
    place = search_lab.lab()
    name, n = f"search: {search_lab.SEARCHES} people, one at a time, justice model", search_lab.records_in(place)
    given = {"root": str(place), "out": str(JUSTICE_SEARCH)}
    return [Work(name, OURS, counterfoil.__version__, n, "benchmarks.search_lab:search", given)]


_HERE = "benchmarks.ours_linkage"


def _training(n: int, *, tf: bool) -> dict[str, object]:
    return {"records": str(records(n)), "term_frequencies": tf}


def _both(
    work: str, n: int, name: str, given: dict[str, object] | dict[str, str], *, alone: bool = False
) -> list[Work]:
    """The same function of ours and, unless `alone`, of Splink's module."""
    suffix = ".json" if name == "train" else ".parquet"
    found = []
    for engine, module, number in (
        (OURS, _HERE, counterfoil.__version__),
        (SPLINK, "benchmarks.peer_splink", version("splink")),
    ):
        if engine == OURS or not alone:
            out = pairs_of(engine, n) if name == "score" else PLACE / f"{name}-{engine}-{n}{suffix}"
            found.append(Work(work, engine, number, n, f"{module}:{name}", dict(given) | {"out": str(out)}))
    return found


def _sql(n: int) -> Work:
    given = {"records": str(records(n)), "out": str(pairs_of(SQL, n))}
    return Work("link: train, score, cluster", SQL, version("duckdb"), n, "benchmarks.peer_sql:link", given)


def _recordlinkage(n: int) -> Work:
    given = {"records": str(records(n)), "out": str(pairs_of(RECORDLINKAGE, n))}
    here = "benchmarks.peer_recordlinkage:link"
    return Work("link: train, score, cluster", RECORDLINKAGE, "0.16", n, here, given, python=os.fspath(PEERS))


def compare(n: int) -> list[Answer]:
    """Each engine's pairs at weight 0 and above against the truth; weights against Splink's."""
    engines = [OURS, SPLINK, SQL, *([RECORDLINKAGE] if n <= SMALL else [])]
    return [_answer(engine, n) for engine in engines]


def _answer(engine: str, n: int) -> Answer:
    file = pairs_of(engine, n)
    weighed = engine in (OURS, SPLINK)
    (true,) = _row(
        f"SELECT sum(n * (n - 1) // 2)::BIGINT FROM (SELECT count(*) AS n FROM '{records(n)}' GROUP BY person)"
    )
    found, right = _row(
        f"""SELECT count(*), count(*) FILTER (l.person = r.person) FROM '{file}' p
            JOIN '{records(n)}' l ON l.unique_id = p.unique_id_l JOIN '{records(n)}' r ON r.unique_id = p.unique_id_r
            {"WHERE match_weight >= 0" if weighed else ""}"""
    )
    precision, recall = right / max(found, 1), right / true
    f1 = 2 * precision * recall / max(precision + recall, 1e-9)
    apart = _largest_difference(file, pairs_of(SPLINK, n)) if engine == OURS else None
    return Answer("score", engine, n, found, round(precision, 4), round(recall, 4), round(f1, 4), apart)


def _largest_difference(ours: Path, theirs: Path) -> float:
    """Largest difference of two weights of one pair, in bits; infinite when a pair is in one file alone."""
    largest, alone = _row(
        f"""SELECT max(abs(o.match_weight - s.match_weight)),
                   count(*) FILTER (o.match_weight IS NULL OR s.match_weight IS NULL)
            FROM '{ours}' o FULL JOIN '{theirs}' s USING (unique_id_l, unique_id_r)"""
    )
    return float("inf") if alone else float(largest)


def _row(sql: str) -> tuple[Any, ...]:
    with duckdb.connect() as connection:
        found: tuple[Any, ...] = connection.execute(sql).fetchall()[0]
    return found


def print_answers(answers: Sequence[Answer]) -> None:
    """One line an engine."""
    print(
        f"\n{'engine':<14} {'n':>10} {'pairs':>12} {'precision':>10} {'recall':>8} {'F1':>8}  largest weight difference"
    )
    for a in answers:
        apart = "" if a.largest_weight_difference is None else f"{a.largest_weight_difference:.1e}"
        print(f"{a.engine:<14} {a.n:>10,} {a.pairs:>12,} {a.precision:>10.4f} {a.recall:>8.4f} {a.f1:>8.4f}  {apart}")


if __name__ == "__main__":
    main()
