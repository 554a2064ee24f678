"""`make bench`: the main job's parts on 100,000 people, beside other programs where they do the same work."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import counterfoil
from benchmarks import bench_comparison
from benchmarks.harness import RESULTS, Ready, Work, measure
from counterfoil.provenance import key_of, sha256_of_file

PEOPLE = 100_000
PLACE = RESULTS / "lab-of-100000"
SEED = 1
TREATED = 1_000  # of the drawn people for logit, match and balance
PROGRAMME = "northgate"
OURS = "counterfoil"


def main() -> None:
    """Make the lab once (not timed), then measure."""
    demo = made_lab()
    measure([*works_on_a_lab(demo), *bench_comparison.works(TREATED, PEOPLE)], "bench")


def made_lab() -> dict[str, str]:
    """A demo lab of this very code, kept between runs: where it lies and one of its programmes."""
    facts = PLACE / "facts.json"
    if facts.is_file():
        kept: dict[str, str] = json.loads(facts.read_text("utf-8"))
        if kept.get("code") == code_hash():
            return kept
    shutil.rmtree(PLACE, ignore_errors=True)
    PLACE.mkdir(parents=True)
    print(f"Making a lab of {PEOPLE:,} synthetic people in {PLACE} (once, not timed).", flush=True)
    said = run("demo", "--people", str(PEOPLE), "--seed", str(SEED), "--out", str(PLACE / "demo"), "--json")
    (plan,) = (PLACE / "demo").rglob(f"programmes/{PROGRAMME}.toml")
    (file,) = (path for path in plan.parent.glob(f"{PROGRAMME}.*") if path != plan)
    made = {
        "code": code_hash(),
        "lab": json.loads(said)["lab"],
        "plan": str(plan),
        "file": str(file),
    }
    facts.write_text(json.dumps(made), "utf-8")
    return made


def code_hash() -> str:
    """Hash of every source file: a lab that other code made may not be one that this code can read."""
    root = Path(counterfoil.__file__).parent
    files = sorted(path for path in root.rglob("*") if path.suffix in {".py", ".toml", ".sql"})
    return key_of(files={str(path.relative_to(root)): sha256_of_file(path) for path in files})


def works_on_a_lab(demo: dict[str, str]) -> list[Work]:
    """Link the sources anew; evaluate one cohort anew."""
    here = "benchmarks.bench:"
    arguments = {"lab": demo["lab"], "file": demo["file"], "plan": demo["plan"]}
    return [
        Work("population: 100,000 people", OURS, counterfoil.__version__, PEOPLE, here + "population", {}),
        Work("link: three sources", OURS, counterfoil.__version__, PEOPLE, here + "link", {"lab": demo["lab"]}),
        Work("evaluate: one cohort", OURS, counterfoil.__version__, PEOPLE, here + "evaluate", arguments),
    ]


def population() -> Ready:
    """Draw the people, live their lives, write what three sources hold and the truth."""
    out = PLACE / "population"
    shutil.rmtree(out, ignore_errors=True)
    return lambda: run("population", "--out", str(out), "--people", str(PEOPLE), "--seed", str(SEED), "--json")


def link(lab: str) -> Ready:
    """Link in a copy of the lab that holds what was loaded and nothing made from it."""
    copy = PLACE / "linking"
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(lab, copy)
    for made in ("linker/spine", "analyst/register_keys", "analyst/register"):
        shutil.rmtree(copy / made, ignore_errors=True)
    return lambda: run("link", str(copy), "--json")


def evaluate(lab: str, file: str, plan: str) -> Ready:
    """Evaluate in the lab itself, whose earlier runs are removed so that it is not answered from one."""
    runs = Path(lab) / "analyst" / "runs"
    shutil.rmtree(runs, ignore_errors=True)
    runs.mkdir()
    return lambda: run("evaluate", lab, file, "--plan", plan, "--json", may_find=True)


def run(*arguments: str, may_find: bool = False) -> str:
    """Run the command as a person would; its standard output."""
    command = [str(Path(sys.executable).parent / "counterfoil"), *arguments]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode not in ((0, 1) if may_find else (0,)):
        raise SystemExit(f"counterfoil {arguments[0]} ended with exit code {done.returncode}; see above.")
    return done.stdout


if __name__ == "__main__":
    main()
