"""Which role may do what: every task that a child process runs, read only when it is asked for."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any, cast

from counterfoil.lab.progress import Progress
from counterfoil.study.roles import ProcessRole

Task = Callable[[Mapping[str, Any], Progress], dict[str, Any]]


class _Tasks(Mapping[tuple[ProcessRole, str], Task]):
    """Tasks by role and name. A child reads what its own task stands on and no more: that saves seconds."""

    def __init__(self, places: Mapping[tuple[ProcessRole, str], tuple[str, str]]) -> None:
        self._places = places

    def __getitem__(self, asked: tuple[ProcessRole, str]) -> Task:
        module, function = self._places[asked]
        return cast(Task, getattr(importlib.import_module(f"counterfoil.{module}"), function))

    def __iter__(self) -> Iterator[tuple[ProcessRole, str]]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)


TASKS: Mapping[tuple[ProcessRole, str], Task] = _Tasks(
    {
        (ProcessRole.INTAKE, "load"): ("study.intake", "load_source"),
        (ProcessRole.LINKER, "link"): ("study.linking", "link_sources"),
        (ProcessRole.LINKER, "link_share"): ("study.linking", "link_share"),
        (ProcessRole.LINKER, "link_cohort"): ("study.linker", "link_submission"),
        (ProcessRole.LINKER, "quality"): ("linkage.quality_report.task", "make_quality"),
        (ProcessRole.LINKER, "review_simulate"): ("linkage.review.task", "simulate_review"),
        (ProcessRole.LINKER, "review_summary"): ("linkage.review.task", "review_summary"),
        (ProcessRole.LINKER, "review_entries"): ("study.linker", "entries_summary"),
        (ProcessRole.LINKER, "ledger_enter"): ("study.ledger_people", "enter_people"),
        (ProcessRole.LINKER, "ledger_check"): ("study.ledger_people", "check_people"),
        (ProcessRole.ANALYST, "register"): ("study.analyst", "make_register"),
        (ProcessRole.ANALYST, "evaluate"): ("study.analyst", "evaluate_run"),
        (ProcessRole.ANALYST, "share_people"): ("study.pooled_people", "share_people"),
    }
)
