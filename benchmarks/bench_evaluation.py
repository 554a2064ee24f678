"""`make bench-evaluation`: score, match, balance at 1,000,000 people, their chain, and the kernels at 5M x 150.

Everything is drawn; nothing needs a lab. With `LAB LIST PLAN`, a whole `evaluate` of that list is measured first, in a
copy of the lab whose large files are links to its own: nothing is written in the lab itself. Every matching is checked
against stored pairs. R's MatchIt runs beside ours where R has it (Debian: `apt-get install r-cran-matchit`), and
causalml where build/peers has it; else a line says that it is left out. Before all of it our fit of a stored case is
compared with R's `glm`, coefficient by coefficient.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pyarrow.csv import read_csv

import counterfoil
from benchmarks import bench_comparison
from benchmarks.bench import run
from benchmarks.harness import RESULTS, Ready, Work, measure
from benchmarks.matching_data import CASES, PAIRS, Case, draw_scores, hash_pairs
from counterfoil.cohort.register import RegisterPaths
from counterfoil.comparison.values import Pairs
from counterfoil.lab.make import open_lab

OURS = "counterfoil"
PEERS = RESULTS.parent / "peers" / "bin" / "python"  # an environment of its own (scripts/set_up_peers.sh)
TREATED, POOL = 1_000, 1_000_000
CHAIN_TREATED = 10_000
LARGE_ROWS, LARGE_FACTORS, LARGE_NUMBERS = 5_000_000, 142, 8
ROOT = Path(__file__).resolve().parents[1]
LALONDE = ROOT.parent / "shared" / "oracles" / "matchit_lalonde614" / "lalonde614.csv"
LALONDE_COVARIATES = ("age", "educ", "race", "married", "nodegree", "re74", "re75")
GLM = ROOT / "tests" / "reference" / "expected" / "logit_lalonde614.json"  # what R's glm gave
SAME_COEFFICIENT = 1e-8
NEVER_CHANGED = frozenset({".parquet", ".bin", ".arrow"})
R_SCRIPT = Path(__file__).with_name("peer_matchit.R")
R_QUESTION = 'cat(if (requireNamespace("MatchIt", quietly = TRUE)) as.character(packageVersion("MatchIt")) else "")'


def check_coefficients() -> None:
    """Stop unless our coefficients are those that R's `glm` gave for the same people, to 1e-8 (METHODS 7)."""
    from counterfoil.comparison.design import encode_covariates
    from counterfoil.comparison.values import ComparisonSettings
    from counterfoil.logit import fit

    if not LALONDE.is_file():
        print("Coefficients are not compared with R's: the folder `shared` is not beside the repository.\n")
        return
    people = read_csv(LALONDE)
    settings = ComparisonSettings(covariates=LALONDE_COVARIATES, references={"race": "black"})
    fitted = fit(encode_covariates(people, settings).design, people["treat"].to_numpy().astype(np.float64))
    ours = dict(zip(fitted.terms, fitted.coef.tolist(), strict=True))
    theirs = json.loads(GLM.read_text("utf-8"))["coef"]
    apart = max(abs(ours[_our_name(name)] - value) / max(abs(value), 1.0) for name, value in theirs.items())
    if len(ours) != len(theirs) or not apart < SAME_COEFFICIENT:
        raise SystemExit(f"The coefficients are {apart:g} away from those of R's glm, so this is another fit.")
    print(f"Coefficients of a stored case are those of R's glm to {apart:.0e}.\n")


def _our_name(of_r: str) -> str:
    """racewhite -> race: white"""
    return {"(Intercept)": "intercept"}.get(of_r, of_r.replace("race", "race: "))


def match_counterfoil(number: int) -> Ready:
    """Ours from scores: sort, match, list the pairs."""
    from counterfoil.comparison.nearest import match_nearest
    from counterfoil.comparison.presets import matchit
    from counterfoil.comparison.scores import sort_scores

    def matcher(one: Case) -> Callable[[], Pairs]:
        score, is_treated, stratum = draw_scores(one)
        method = matchit(caliper=one.caliper)
        caliper = np.inf if one.caliper is None else one.caliper * float(np.std(score, ddof=1))
        return lambda: match_nearest(sort_scores(score, is_treated, stratum), caliper, method)

    case = CASES[number]
    matcher(Case(100, 1_000, exact=case.exact, caliper=case.caliper))()
    run = matcher(case)
    check_pairs(run(), case.name)
    return run


def check_pairs(pairs: Pairs, name: str) -> None:
    """Stop unless the pairs are those that are stored."""
    if hash_pairs(pairs.treated, pairs.comparison) != PAIRS[name]:
        raise SystemExit(f"{name}: the pairs are not the stored ones, so this is another matching.")


def match_argsort(number: int) -> Ready:
    """The yardstick: one stable sort of the same scores."""
    score = draw_scores(CASES[number])[0]
    return lambda: np.argsort(score, kind="stable")


def match_matchit(number: int) -> Ready:
    """R's MatchIt on the same scores. R is started and has read them before the clock starts; pairs are checked."""
    case = CASES[number]
    score, is_treated, stratum = draw_scores(case)
    folder = Path(tempfile.mkdtemp(prefix="matchit-"))
    score.tofile(folder / "score")
    is_treated.astype(np.float64).tofile(folder / "treated")
    (np.zeros(len(score)) if stratum is None else stratum.astype(np.float64)).tofile(folder / "stratum")
    command = ["Rscript", "--vanilla", str(R_SCRIPT), str(folder), str(case.caliper or 0.0), str(int(case.exact))]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    if process.stdin is None or process.stdout is None or process.stdout.readline().strip() != "ready":
        raise SystemExit("R did not start. Run the script by hand to see why.")
    question, answer = process.stdin, process.stdout

    def run() -> None:
        question.write("go\n")
        question.flush()
        if answer.readline().strip() != "matched":
            raise SystemExit("R ended without a matching.")
        process.communicate()
        pairs = np.fromfile(folder / "pairs").astype(np.int64).reshape(2, -1)
        shutil.rmtree(folder)
        if hash_pairs(pairs[0], pairs[1]) != PAIRS[case.name]:
            print(f"{case.name}: MatchIt's pairs are not the stored ones (4.7.2's).", file=sys.stderr)

    return run


def chain_counterfoil(treated: int, pool: int) -> Ready:
    """Fit, match, balance before and after, errors of one rate: from codes to an interval."""
    from counterfoil.comparison.balance import balance_baseline, measure_balance
    from counterfoil.comparison.design import Covariates
    from counterfoil.comparison.nearest import match_nearest, weigh_pairs
    from counterfoil.comparison.presets import matchit
    from counterfoil.comparison.scores import sort_scores
    from counterfoil.effect.abadie_imbens import abadie_imbens
    from counterfoil.logit import fit

    def prepared(people: int) -> Ready:
        design, is_treated = bench_comparison.draw_design(treated, people)
        names = ("",) * len(design.factors)
        covariates = Covariates(design, names, design.numeric_names, ())
        happened = (np.random.default_rng(bench_comparison.SEED).random(design.rows) < 0.3).astype(np.float64)

        def run() -> object:
            score = fit(design, is_treated.astype(np.float64), threads=1, covariance=False).eta
            caliper = 0.2 * float(np.std(score, ddof=1))
            pairs = match_nearest(sort_scores(score, is_treated), caliper, matchit(replace=True, caliper=0.2))
            baseline = balance_baseline(design, is_treated, threads=1)
            table = measure_balance(covariates, baseline, weigh_pairs(pairs, design.rows), threads=1)
            given = (happened, is_treated, score, pairs.treated, pairs.comparison, pairs.share)
            return table, abadie_imbens(*given)

        return run

    prepared(bench_comparison.WARM_PEOPLE)()
    return prepared(pool)


def large_counterfoil(rows: int) -> Ready:
    """A fit and the balance before matching of so many people with 150 covariates, one in 500 of them treated."""
    from counterfoil.comparison.balance import balance_baseline
    from counterfoil.logit import CodedDesign, Factor, fit

    rng = np.random.default_rng(bench_comparison.SEED)
    codes = rng.integers(0, 3, (rows, LARGE_FACTORS), np.int8)
    numeric = rng.standard_normal((rows, LARGE_NUMBERS))
    is_treated = rng.random(rows) < 0.002 * np.exp(0.3 * (codes[:, 0] - 1) + 0.2 * numeric[:, 0])
    factors = tuple(Factor(f"factor {j}", ("0", "1", "2")) for j in range(LARGE_FACTORS))
    names = tuple(f"number {j}" for j in range(LARGE_NUMBERS))
    design = CodedDesign(factors, codes, names, numeric)

    def run() -> object:
        return fit(design, is_treated.astype(np.float64), threads=2, covariance=False), balance_baseline(
            design, is_treated, threads=2
        )

    return run


def evaluate_lab(lab: str, file: str, plan: str) -> Ready:
    """The whole command on a lab that is linked and registered: file, children, report. No earlier run answers it."""
    copy = RESULTS / "evaluating"
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(lab, copy, ignore=shutil.ignore_patterns("runs"), copy_function=_linked)
    (copy / "analyst" / "runs").mkdir()
    return lambda: run("evaluate", str(copy), file, "--plan", plan, "--json", may_find=True)


def _linked(source: str, target: str) -> str:
    """A large file, which no command changes in place, as a link; any other, and where there are no links, a copy."""
    if Path(source).suffix in NEVER_CHANGED:
        try:
            os.link(source, target)
        except OSError:
            return str(shutil.copy2(source, target))
        return target
    return str(shutil.copy2(source, target))


def evaluate_work(lab: str, file: str, plan: str) -> Work:
    """`n`: people of the lab's register."""
    register = open_lab(Path(lab)).paths.latest_register()
    if register is None:
        raise SystemExit("The lab has no register yet. Run counterfoil register on it first.")
    people = pc.count_distinct(pq.read_table(RegisterPaths(register).index_events, columns=["person_number"])[0])
    given = {"lab": lab, "file": file, "plan": plan}
    return Work("evaluate: one list", OURS, counterfoil.__version__, people.as_py(), f"{HERE}:evaluate_lab", given)


def version_of_matchit() -> str:
    """Empty where R or MatchIt is not installed."""
    if shutil.which("Rscript") is None:
        return ""
    asked = ["Rscript", "--vanilla", "-e", R_QUESTION]
    return subprocess.run(asked, stdout=subprocess.PIPE, text=True, check=False).stdout.strip()


def version_of_causalml() -> str:
    """Empty where build/peers has none."""
    if not PEERS.is_file():
        return ""
    asked = [os.fspath(PEERS), "-c", "from importlib.metadata import version; print(version('causalml'))"]
    done = subprocess.run(asked, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=False)
    return done.stdout.strip()


def matching_works(matchit: str, causalml: str) -> list[Work]:
    """Every case by ours, by one sort, and by MatchIt and causalml where there are; these know no exact factors."""
    engines = [(OURS, counterfoil.__version__, "match_counterfoil"), ("one sort", version("numpy"), "match_argsort")]
    if matchit:
        engines.append(("MatchIt", matchit, "match_matchit"))
    works = [
        Work(case.name, engine, said, case.treated + case.pool, f"{HERE}:{function}", {"number": number})
        for number, case in enumerate(CASES)
        for engine, said, function in engines
        if not (engine == "MatchIt" and case.exact)  # 4.5.1 stops with an error where a stratum is empty
    ]
    peers = [
        Work(
            case.name, "causalml", causalml, case.treated + case.pool, "benchmarks.peer_causalml:match",
            {"number": number}, python=os.fspath(PEERS),
        )
        for number, case in enumerate(CASES)
        if causalml and not case.exact
    ]  # fmt: skip
    return sorted([*works, *peers], key=lambda one: [case.name for case in CASES].index(one.work))


HERE = "benchmarks.bench_evaluation"


def main() -> None:
    """Measure everything and write build/bench/evaluation.json."""
    check_coefficients()
    matchit = version_of_matchit()
    if not matchit:
        print(
            "MatchIt is left out: R with MatchIt is not installed. Debian has both: apt-get install r-cran-matchit.\n"
        )
    causalml = version_of_causalml()
    if not causalml:
        print("causalml is left out: it is not in build/peers. scripts/set_up_peers.sh says why.\n")
    size, ours = {"treated": CHAIN_TREATED, "pool": POOL}, counterfoil.__version__
    chain, large = f"logit, match, balance, errors {CHAIN_TREATED:,}", "logit and balance before 5,000,000 x 150"
    works = [
        *([evaluate_work(*sys.argv[1:4])] if len(sys.argv) == 4 else []),
        *matching_works(matchit, causalml),
        *bench_comparison.works(TREATED, POOL),
        Work(chain, OURS, ours, CHAIN_TREATED + POOL, f"{HERE}:chain_counterfoil", size),
        Work(large, OURS, ours, LARGE_ROWS, f"{HERE}:large_counterfoil", {"rows": LARGE_ROWS}),
    ]
    measure(works, "evaluation")


if __name__ == "__main__":
    main()
