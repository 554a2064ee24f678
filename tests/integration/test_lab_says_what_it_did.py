"""What a lab's settings and plan ask for is done or refused, and the method box of the report says it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from counterfoil.lab.settings import Costs
from counterfoil.study import evaluate
from counterfoil.study.outcomes import find_unmeasurable
from counterfoil.study.plan import parse_plan
from lib.labs import MadeLab, evaluate_by
from lib.small_lab import run_here

COSTS = [
    ("reoffending_frequency", 0),
    ("reoffending_rate", 1),  # no count
    ("reoffences_per_year_at_liberty", 1),  # no count of a person
    ("reofending_frequency", 1),
]


@pytest.mark.parametrize(("name", "problems"), COSTS)
def test_a_cost_that_no_report_could_have_a_line_of_is_a_mistake(small_lab: MadeLab, name: str, problems: int) -> None:
    costs = Costs(per_event={name: 12_000.0}, source="a made-up source", price_year="2023/24 prices")
    lab = replace(small_lab.lab, settings=small_lab.lab.settings.model_copy(update={"costs": costs}))
    found = find_unmeasurable(lab, parse_plan({"title": "A"}, "plan.toml"))
    assert len(found) == problems
    assert all(f"names `{name}`" in each for each in found)


def test_the_method_box_says_from_when_and_for_which_years_people_are_followed(
    small_lab: MadeLab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    evaluate_by(monkeypatch, run_here)
    programme = small_lab.population.programmes["northgate"]
    text = programme.plan.read_text()
    pages = []
    for name, asked in {"index": text, "start": text.replace('follow_from = "index"', 'follow_from = "start"')}.items():
        plan = tmp_path / f"{name}.toml"
        plan.write_text(asked)
        run = str(evaluate.evaluate_lab(small_lab.lab.paths.root, programme.file, plan)["run"])
        pages.append((small_lab.lab.paths.run(run) / "report.html").read_text(encoding="utf-8"))
    assert all("2016–2019" in page for page in pages)
    start = "the start, or what stands for it in the comparison group"
    assert [start in page for page in pages] == [False, True]
    assert all("a start drawn from the delays of those treated" in page for page in pages)
