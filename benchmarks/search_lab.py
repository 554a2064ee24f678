"""One person at a time among about a million records under the justice model: a lab of its own, and its searches.

`python -m benchmarks.search_lab [PEOPLE]` makes the lab, once, and prints what a search takes.
"""

from __future__ import annotations

import json
import shutil
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.harness import RESULTS, Ready
from counterfoil.domains import load
from counterfoil.lab.make import make_lab, open_lab
from counterfoil.lab.progress import silent
from counterfoil.linkage.search import Identifiers, PeopleSearch
from counterfoil.linkage.spine import read_spine
from counterfoil.population import LAB_DATE, generate
from counterfoil.study.roles import ProcessRole
from counterfoil.study.tasks import TASKS

PEOPLE = 200_000  # about 970,000 records of all eight sources
SEARCHES = 500
SEED = 7
_SLIP, _SECOND, _HOMELESS, _NUMBERED, _SWAPPED, _KINDS = 1, 2, 3, 4, 5, 6


def lab(people: int = PEOPLE) -> Path:
    """A linked lab of all sources, made when it is not there."""
    folder = RESULTS / "linkage" / f"justice-{people}"
    if not (folder / "made").is_file():
        shutil.rmtree(folder, ignore_errors=True)
        made = generate(folder / "population", people=people, seed=SEED)
        root = make_lab(folder / "lab", today=LAB_DATE).paths.root
        for source, schema in load().sources.items():
            files = [str(made.sources / f"{source}_{table}.parquet") for table in schema.tables]
            arguments = {"lab": str(root), "source": source, "files": files, "date": None}
            TASKS[ProcessRole.INTAKE, "load"](arguments, silent)
        TASKS[ProcessRole.LINKER, "link"]({"lab": str(root), "engine": "core"}, silent)
        shutil.rmtree(folder / "population")
        (folder / "made").touch()
    return folder / "lab"


def records_in(root: Path) -> int:
    """How many records are searched."""
    return int(pq.read_metadata(read_spine(open_lab(root)).folder / "encoded.parquet").num_rows)


def search(root: str, out: str) -> Ready:
    """500 searches in one process, each as `find` makes it once its case is logged; writes what each took."""
    people = PeopleSearch.open(open_lab(Path(root)))
    asked = asked_for(people)
    for known in asked[:_KINDS]:
        people.find(known)

    def work() -> None:
        taken = [_timed(people, known) for known in asked]
        Path(out).write_text(json.dumps(told(np.array(taken))) + "\n", "utf-8")

    return work


def _timed(people: PeopleSearch, known: Identifiers) -> tuple[float, float]:
    """Processor and wall-clock milliseconds."""
    wall, processor = time.perf_counter(), time.process_time()
    people.find(known)
    return (time.process_time() - processor) * 1e3, (time.perf_counter() - wall) * 1e3


def told(taken: np.ndarray[Any, np.dtype[np.float64]]) -> dict[str, float]:
    """Median and 95th percentile, in milliseconds."""
    median, high = np.median(taken, axis=0), np.quantile(taken, 0.95, axis=0)
    return {
        "searches": len(taken),
        "cpu_ms_median": round(float(median[0]), 2),
        "cpu_ms_p95": round(float(high[0]), 2),
        "wall_ms_median": round(float(median[1]), 2),
        "wall_ms_p95": round(float(high[1]), 2),
    }


def asked_for(people: PeopleSearch) -> list[Identifiers]:
    """What is known of people of the lab: of one record as it is, or with one of five changes in turn."""
    encoded = people.spine.encoded(
        ["forename1_std", "surname_std", "dob", "postcode_std", "sex_std", "pnc_std", "prison_number_std"]
    )
    drawn = np.random.default_rng(SEED).choice(encoded.num_rows, SEARCHES, replace=False)
    rows = encoded.take(pa.array(drawn)).to_pylist()
    return [_known(row, i % _KINDS) for i, row in enumerate(rows)]


def _known(row: Mapping[str, Any], change: int) -> Identifiers:
    forename, surname = row["forename1_std"] or "", row["surname_std"] or ""
    if change == _SWAPPED:
        aliases = f"{forename} {surname}; JO BLOGGS"
        return Identifiers(forename1=surname, surname=forename, date_of_birth=row["dob"], aliases=aliases)
    numbers = {"pnc_id": row["pnc_std"], "prison_number": row["prison_number_std"]} if change == _NUMBERED else {}
    return Identifiers(
        forename1=forename,
        forename2="ANN" if change == _SECOND else None,
        surname=surname[:2] + surname[3:] if change == _SLIP else surname,
        date_of_birth=row["dob"],
        sex=row["sex_std"],
        postcode=None if change == _HOMELESS else row["postcode_std"],
        **numbers,
    )


if __name__ == "__main__":
    place = lab(int(sys.argv[1].replace("_", "")) if sys.argv[1:] else PEOPLE)
    search(str(place), str(place.parent / "search.json"))()
    print(f"{records_in(place):,} records: {(place.parent / 'search.json').read_text('utf-8').strip()}")
