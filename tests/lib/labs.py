"""Small labs for tests: a synthetic population loaded, linked and registered, all in this process."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from counterfoil.cohort.register import RegisterPaths
from counterfoil.cohort.select import select
from counterfoil.domains import load
from counterfoil.lab.keys import Role, decrypt
from counterfoil.lab.make import OpenLab, make_lab
from counterfoil.lab.progress import Progress, silent
from counterfoil.population import LAB_DATE, PopulationReport, generate
from counterfoil.study import evaluate, starting
from counterfoil.study.getting_ready import cohort_settings
from counterfoil.study.handover import HANDOVER, unpack
from counterfoil.study.plan import read_plan
from counterfoil.study.roles import ProcessRole
from counterfoil.study.tasks import TASKS
from counterfoil.warehouse import query


@dataclass(frozen=True, slots=True)
class MadeLab:
    """A lab that is ready to evaluate, and the population behind it."""

    lab: OpenLab
    population: PopulationReport


def do(role: ProcessRole, task: str, lab: OpenLab, **arguments: Any) -> dict[str, Any]:
    """One task of a role, without a process of its own: for tests that are about numbers and not about roles."""
    return TASKS[role, task]({"lab": str(lab.paths.root), **arguments}, silent)


def build_lab(folder: Path, *, people: int, seed: int) -> MadeLab:
    """A population of `people` and a lab that has loaded, linked and registered it."""
    made = generate(folder / "population", people=people, seed=seed)
    lab = make_lab(folder / "lab", today=LAB_DATE)
    for source, schema in load().sources.items():
        files = [str(made.sources / f"{source}_{table}.parquet") for table in schema.tables]
        do(ProcessRole.INTAKE, "load", lab, source=source, files=files, date=None)
    do(ProcessRole.LINKER, "link", lab, engine="core")
    do(ProcessRole.ANALYST, "register", lab)
    return MadeLab(lab, made)


def evaluate_here(made: MadeLab, programme: str) -> dict[str, Any]:
    """Evaluate one programme in this process. The stages are the real ones; only the child processes are left out."""
    chosen = made.population.programmes[programme]
    with pytest.MonkeyPatch.context() as patch:
        evaluate_by(patch, _run_here)
        return evaluate.evaluate_lab(made.lab.paths.root, chosen.file, chosen.plan)


def evaluate_by(patch: pytest.MonkeyPatch, run: Callable[..., dict[str, Any]]) -> None:
    """Have `evaluate` do its roles' tasks by `run(role, task, arguments, progress)` and start no child process."""

    @contextmanager
    def start(role: ProcessRole, task: str, lab: str) -> Iterator[_Here]:
        del lab
        yield _Here(partial(run, role, task))

    patch.setattr(starting, "start_role", start)


class _Here:
    """A role's task without a process: nothing is read or made ready beforehand."""

    def __init__(self, run: Callable[..., dict[str, Any]]) -> None:
        self._run = run

    def get_ready(self, given: Mapping[str, Any]) -> None:
        """Nothing."""

    def __call__(self, arguments: Mapping[str, Any], progress: Progress = silent) -> dict[str, Any]:
        return self._run(arguments, progress)


def _run_here(
    role: ProcessRole, task: str, arguments: Mapping[str, Any], progress: Progress = silent
) -> dict[str, Any]:
    return TASKS[role, task](arguments, progress)


def true_points(made: MadeLab, programme: str, run: str) -> float:
    """The planted effect on the rate, in points, over the treated people who were in fact analysed.

    Someone who was analysed and never took part (a false link) had no effect.
    """
    paths = made.lab.paths
    keys = _analysed_keys(made, programme, run)
    register_keys = paths.latest_register_keys()
    if register_keys is None:
        raise LookupError("the lab is not linked")
    tables = {
        "analysed": keys,
        "register_keys": pq.read_table(register_keys),
        "records": pq.read_table(made.population.truth / "truth_records.parquet"),
        "programmes": pq.read_table(made.population.truth / "truth_programmes.parquet"),
    }
    sql = f"""
        WITH people AS (
            SELECT a.register_key, mode(r.person_id) AS person_id
            FROM analysed a JOIN register_keys k USING (register_key) JOIN records r USING (source, record_id)
            GROUP BY a.register_key),
        effects AS (SELECT person_id, y1_rate - y0_rate AS effect FROM programmes
                    WHERE programme = '{programme}' AND y0_rate >= 0)
        SELECT 100 * avg(coalesce(effect, 0)) AS points FROM people LEFT JOIN effects USING (person_id) ORDER BY 1
    """
    return float(query(sql, tables)["points"][0].as_py())


def _analysed_keys(made: MadeLab, programme: str, run: str) -> pa.Table:
    """Register keys of the treated people with a weight in the run's frozen design."""
    paths = made.lab.paths
    plan = read_plan(made.population.programmes[programme].plan, for_table=False)
    study, _ = unpack(decrypt(paths, (paths.run(run) / HANDOVER).read_bytes(), by=Role.ANALYST))
    folder = paths.latest_register()
    if folder is None:
        raise LookupError("the lab has no register")
    keys = select(study, RegisterPaths(folder), cohort_settings(plan)).keys
    design = pq.read_table(paths.run(run) / "design.parquet")
    both = design.append_column("register_key", keys["register_key"])
    return query("SELECT register_key FROM d WHERE treated AND weight > 0 ORDER BY 1", {"d": both})
