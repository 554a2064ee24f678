"""The analyst's part: the register, and from a handover to a report. Opens nothing under `linker/`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from counterfoil import __version__
from counterfoil.cohort.events import Events
from counterfoil.cohort.one_person import as_chosen
from counterfoil.cohort.register import RegisterInputs, RegisterPaths, build_cohort_register, scripts_of
from counterfoil.cohort.select import Selected, select
from counterfoil.cohort.values import Attrition, Group
from counterfoil.disclosure import Gaps, Said, SampleFacts, UnitCost, read_said
from counterfoil.errors import UsageError
from counterfoil.lab import log
from counterfoil.lab.files import atomic_folder
from counterfoil.lab.keys import Role, decrypt, encrypt
from counterfoil.lab.make import OpenLab, open_lab
from counterfoil.lab.paths import SAID
from counterfoil.lab.progress import Progress
from counterfoil.lab.versions import version_for
from counterfoil.outcomes.negative_control import negative_control_of
from counterfoil.outcomes.register import build_outcomes
from counterfoil.provenance import key_of, sha256_of_file
from counterfoil.study.analysis import TREATED, analyse
from counterfoil.study.audit import Behind
from counterfoil.study.comparison_plan import REGION, RISK_SCORE
from counterfoil.study.covariates import Needs, add_risk_score, add_shares, everyone_of, read_history_before, read_needs
from counterfoil.study.getting_ready import cohort_settings, machine_of, register_of
from counterfoil.study.handover import HANDOVER, unpack, unpack_doubt, unpack_list, unpack_reports
from counterfoil.study.inputs import Inputs
from counterfoil.study.lab_facts import lab_facts
from counterfoil.study.lab_rules import disclosure_settings
from counterfoil.study.ledger import earlier_said
from counterfoil.study.link_doubt import link_doubt
from counterfoil.study.origin import Origin, origin_of
from counterfoil.study.outcomes import measures_of, open_outcomes
from counterfoil.study.plan import Plan, parse_plan, unknown_covariates
from counterfoil.study.profile import profile_of
from counterfoil.study.provider_words import from_json
from counterfoil.study.risk_score import RiskScore, fit_risk_score, score_terms
from counterfoil.study.specifications import Site
from counterfoil.study.sub_plan import SITE, UPLOADED, YEAR, Part, make_parts
from counterfoil.study.ways import There, ways

FloatArray = npt.NDArray[np.float64]


def make_register(arguments: Mapping[str, Any], progress: Progress) -> dict[str, Any]:
    """Task `register`: index events, covariates and outcomes for everyone in the newest spine."""
    lab = open_lab(Path(arguments["lab"]))
    keys = lab.paths.latest_register_keys()
    if keys is None:
        raise UsageError(f"Nothing is linked in this lab yet. Run counterfoil link {lab.paths.root} first.")
    inputs = RegisterInputs(lab.paths.latest_extracts(lab.paths.analyst), keys, lab.settings.domain)
    files = {
        str(p.relative_to(lab.paths.analyst)): sha256_of_file(p) for f in inputs.extracts.values() for p in _tables(f)
    }
    key = key_of(files=files, spine=keys.stem, version=__version__, scripts=scripts_of(lab.settings.domain))
    version, finished = version_for(lab.paths.analyst / "register", lab.settings.date(), key)
    if not finished:
        with atomic_folder(lab.paths.register(version)) as folder:
            paths, machine = RegisterPaths(folder), machine_of(lab)
            build_cohort_register(inputs, paths, machine=machine, progress=progress)
            build_outcomes(inputs, paths, machine=machine, progress=progress)
            Origin(keys.stem, files).keep(folder)
        log.append(lab.paths, "registered", {"register": version})
    paths = RegisterPaths(lab.paths.register(version))
    said = "The register is up to date" if finished else "Made the register"
    return {"register": version, "lines": [f"{said}: {version}. Data cover dates up to {paths.data_end():%-d %B %Y}."]}


def _tables(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.parquet"))


def evaluate_run(arguments: Mapping[str, Any], progress: Progress, ready: Events | None = None) -> dict[str, Any]:
    """Task `evaluate`: from the handover in the run's folder to a report. `ready`: what `get_ready` gave."""
    lab = open_lab(Path(arguments["lab"]))
    plan = parse_plan(arguments["plan"], "the plan")
    folder = lab.paths.run(arguments["run"])
    handed = decrypt(lab.paths, (folder / HANDOVER).read_bytes(), by=Role.ANALYST)
    study, counts = unpack(handed)
    doubt = unpack_doubt(handed)
    register = register_of(lab)
    progress("Selecting people and the pool", 0.1)
    selected = select(study, register, cohort_settings(plan), doubt=doubt, machine=machine_of(lab), events=ready)
    study, doubt = as_chosen(study, selected.keys), as_chosen(doubt, selected.keys)
    attrition = Attrition({**counts, **selected.attrition.people}, started=plan.service.people_started)
    chosen = _with_covariates(lab, plan, selected, register)
    inputs = replace(
        _inputs(lab, plan, arguments["run"], chosen, attrition),
        parts=_parts(plan, chosen.selected, study),
        sites=_sites(chosen.selected, study),
        sample=sample_facts(plan, unpack_list(handed), arguments.get("asked", {})),
        doubt=link_doubt(chosen.selected, chosen.possible, study, doubt),
        pdf=bool(arguments.get("pdf", False)),
        languages=lab.settings.languages,
        words=from_json(arguments.get("words", {})),
        behind=_behind(lab, plan, arguments, selected, study, handed),
    )
    people = pa.concat_tables([everyone_of(selected), _ungrouped(selected.possible.people)])
    inside = {**arguments["inputs"], **origin_of(register.folder).extracts}
    return analyse(
        replace(inputs, inside=inside),
        lambda: open_outcomes(lab, plan, register, people, machine_of(lab)),
        progress=progress,
    )


@dataclass(frozen=True, slots=True)
class _Chosen:
    """Who is compared, with every covariate, and the risk score if there is one."""

    selected: Selected
    possible: pa.Table  # whom doubtful entries may be, with the same covariates
    score: RiskScore | None


def _with_covariates(lab: OpenLab, plan: Plan, selected: Selected, register: RegisterPaths) -> _Chosen:
    """Shares and the risk score, where the plan asks. Opens outcomes of the people set apart and of nobody else."""
    today, domain = lab.settings.date(), lab.settings.domain
    terms = score_terms(domain)
    score = fit_risk_score(selected.earlier, register, terms, threads=lab.settings.threads) if terms else None

    def with_covariates(some: Selected) -> Selected:
        some = add_shares(some, plan.comparison.shares, lab.paths, today=today, domain=domain)
        return some if score is None else add_risk_score(some, score)

    possible = selected.possible
    alone = replace(selected, people=possible.people, keys=possible.keys, applied=possible.people.slice(0, 0))
    return _Chosen(with_covariates(selected), with_covariates(alone).people, score)


def _ungrouped(people: pa.Table) -> pa.Table:
    return people.append_column("group", pa.nulls(people.num_rows, pa.string()))


def _parts(plan: Plan, selected: Selected, study: pa.Table) -> tuple[Part, ...]:
    """Who is in each sub-analysis, row by row of everyone, from covariates, the year of the index event and columns of
    the list. Those of the list who did not take part are in it as the pool is: they may be whom it is compared with."""
    people, columns = everyone_of(selected), dict[str, pa.ChunkedArray]()
    treated = np.asarray(people[TREATED].to_numpy(zero_copy_only=False), np.bool_)
    entries = _entries_of(people, treated, study)
    for name in {sub.by for sub in plan.sub_analyses}:
        if name == YEAR:
            columns[name] = pc.year(people["index_date"])
        else:
            columns[name] = study[name].take(entries) if name in UPLOADED else people[name]
    return make_parts(plan.sub_analyses, treated, columns)


def _entries_of(people: pa.Table, treated: npt.NDArray[np.bool_], study: pa.Table) -> pa.Array:
    """The row of the list that each treated person is; null for everyone else."""
    row_of = {key: row for row, key in enumerate(study["study_key"].to_pylist())}
    keys = zip(people["study_key"].to_pylist(), treated, strict=True)
    return pa.array([row_of.get(key) if is_treated else None for key, is_treated in keys], pa.int64())


def _sites(selected: Selected, study: pa.Table) -> tuple[Site, ...]:
    """The sites of the list, row by row of everyone; none where it names none, or one only."""
    if SITE not in study.column_names or study[SITE].null_count == study.num_rows:
        return ()
    people = selected.people
    treated = np.flatnonzero(people[TREATED].to_numpy(zero_copy_only=False))
    taking_part = people.take(treated)
    of_each = study[SITE].take(_entries_of(taking_part, np.ones(len(treated), np.bool_), study))
    names = sorted(name for name in pc.unique(of_each).to_pylist() if name)
    everyone = people.num_rows + selected.applied.num_rows
    return tuple(Site(name, _rows_at(of_each, name, treated, everyone)) for name in names if len(names) > 1)


def _rows_at(of_each: pa.ChunkedArray, name: str, treated: npt.NDArray[np.intp], rows: int) -> npt.NDArray[np.bool_]:
    there = np.zeros(rows, np.bool_)
    there[treated] = np.asarray(pc.fill_null(pc.equal(of_each, name), False).to_numpy(), np.bool_)
    return there


def _behind(
    lab: OpenLab,
    plan: Plan,
    arguments: Mapping[str, Any],
    selected: Selected,
    study: pa.Table,
    handed: bytes,
) -> Behind:
    """Who the treated are, by register key and index event, and the earlier reports that the linker says they share."""
    people = selected.people.filter(selected.people[TREATED])
    study_keys = people["study_key"].to_pylist()
    register_of = dict(zip(study["study_key"].to_pylist(), study["register_key"].to_pylist(), strict=True))
    run = str(arguments["run"])
    reports, merged = unpack_reports(handed)
    runs = sorted(set(reports) - {run})
    outcomes, earlier = plan.outcomes, _earlier(lab, run, runs)
    return Behind(
        keys=tuple(
            f"{register_of[key]} {day}" for key, day in zip(study_keys, people["index_date"].to_pylist(), strict=True)
        ),
        study_keys=tuple(study_keys),
        earlier=earlier,
        alike=_alike(lab, arguments, dict(zip(runs, earlier, strict=True))),
        followed=f"{outcomes.follow_up_months} months and {outcomes.waiting_months} from {plan.cohort.follow_from}",
        merged=tuple(f"the report {each}" for each in merged if each in runs),
        ledger=tuple(arguments.get("published", ())),
        everyone=lambda rows: _keys_of(selected, rows),
        others=lambda: _earlier(lab, run, sorted(set(arguments.get("published", ())) - set(runs) - {run})),
        seal=lambda data: encrypt(lab.paths, data, to=Role.LINKER),
    )


def _alike(lab: OpenLab, arguments: Mapping[str, Any], earlier: Mapping[str, Said]) -> tuple[tuple[str, Said], ...]:
    """The earlier reports, and those before the checkers, but for those that somebody decided about (R18)."""
    flying = {str(run): f"the report {run}" for run in arguments.get("in_flight", ()) if run not in earlier}
    found = {run: read_said((lab.paths.run(run) / SAID).read_bytes(), name) for run, name in flying.items()}
    decided = set(arguments.get("decided", ()))
    return tuple((run, said) for run, said in {**earlier, **found}.items() if run not in decided)


def _earlier(lab: OpenLab, run: str, runs: Sequence[str]) -> tuple[Said, ...]:
    return tuple(read_said(data, f"the report {each}") for each, data in earlier_said(lab, run, runs).items())


def _keys_of(selected: Selected, rows: npt.NDArray[np.intp]) -> tuple[str, ...]:
    """What tells comparison people in another run, as the treated are told."""
    registered = selected.keys["register_key"].take(rows).to_pylist()
    days = everyone_of(selected)["index_date"].take(rows).to_pylist()
    return tuple(f"{key} {day}" for key, day in zip(registered, days, strict=True))


def sample_facts(plan: Plan, about: Mapping[str, Any], asked: Mapping[str, Any]) -> SampleFacts:
    """How the list came to be: what the linker found of it, what the lab's log counts, what the plan says."""
    return SampleFacts(
        gaps=Gaps(about.get("gaps", Gaps.UNKNOWN.value)),
        repeated=bool(about.get("repeated", False)),
        completers_only=plan.service.completers_only or bool(about.get("completers_only", False)),
        requests=int(asked.get("requests", 1)),
        changed=bool(asked.get("changed", False)),
    )


def unit_costs(lab: OpenLab) -> tuple[UnitCost, ...]:
    """What one event costs, as lab.toml says."""
    costs = lab.settings.costs
    source = ", ".join(text for text in (costs.source, costs.price_year) if text)
    return tuple(UnitCost(name, amount, costs.currency, source) for name, amount in costs.per_event.items())


def _inputs(lab: OpenLab, plan: Plan, run: str, made: _Chosen, attrition: Attrition) -> Inputs:
    chosen, selected = plan.comparison, made.selected
    if unknown := unknown_covariates(plan, (*selected.covariates, RISK_SCORE)):
        raise UsageError(*unknown)
    asked = chosen.covariates if chosen.covariates is not None else selected.covariates
    covariates = tuple(name for name in asked if name in selected.covariates)  # a score may have been left out
    everyone = everyone_of(selected)
    needs = read_needs(everyone, register_of(lab), chosen.assessment_months) if chosen.assessments else None
    settings = disclosure_settings(lab)
    before = read_history_before(everyone, register_of(lab), plan.outcomes.follow_up_months)
    found = ways(chosen, _there(everyone, needs), covariates, least=settings.min_group)
    if chosen.design == "randomised" and not found.candidates:
        raise UsageError(
            'The plan says that lots were drawn (design = "randomised"), and the list has nobody whom the lots gave no '
            "place, or nobody of them could be followed. Give both arms in one list, with the column `Application "
            "outcome`: `Took part` for everyone who was given a place, whether or not they came, and `Refused` or "
            "`Waiting` for the others. Or choose another design."
        )
    columns = list(dict.fromkeys((*covariates, *chosen.exact, *((REGION,) if chosen.pool != "national" else ()))))
    people = everyone.select([TREATED, *columns])
    if needs is not None:
        people = pa.Table.from_arrays(
            [*people.columns, *needs.table.columns], [*people.column_names, *needs.covariates]
        )
    return Inputs(
        run=run,
        plan=plan,
        people=people,
        covariates=covariates,
        attrition=attrition,
        measures=measures_of(lab, plan),
        folder=lab.paths.run(run),
        inputs={"register": register_of(lab).folder.name},
        facts=lab_facts(lab, plan, made.score),
        score=made.score,
        settings=settings,
        candidates=found.candidates,
        others=found.others,
        control=negative_control_of(lab.settings.domain),
        history_before=before,
        threads=lab.settings.threads,
        follow_up_months=plan.outcomes.follow_up_months,
        costs=unit_costs(lab),
        profile=profile_of(everyone, lab.settings.domain),
    )


def _there(everyone: pa.Table, needs: Needs | None) -> There:
    """Who is in the whole table: the treated, those who applied, regions, and who was assessed."""
    group = everyone["group"]
    return There(
        treated=np.asarray(everyone[TREATED].to_numpy(zero_copy_only=False), np.bool_),
        applied={
            name: np.asarray(pc.fill_null(pc.equal(group, name), False).to_numpy(zero_copy_only=False), np.bool_)
            for name in (Group.REFUSED.value, Group.WAITING.value)
        },
        region=everyone[REGION] if REGION in everyone.column_names else None,
        assessed=None if needs is None else needs.assessed,
        needs=() if needs is None else needs.covariates,
    )
