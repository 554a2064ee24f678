"""Which role may do what: every task that a child process runs, read only when it is asked for."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar, cast

from counterfoil.lab.progress import Progress
from counterfoil.study.roles import ProcessRole

Task = Callable[..., dict[str, Any]]  # of what is asked and of where to tell progress
Key = tuple[ProcessRole, str]
Found = TypeVar("Found")


class _Places(Mapping[Key, Found]):
    """Functions by role and name. A child reads what its own task stands on and no more: that saves seconds."""

    def __init__(self, places: Mapping[Key, tuple[str, str]]) -> None:
        self._places = places

    def __getitem__(self, asked: Key) -> Found:
        module, function = self._places[asked]
        return cast(Found, getattr(importlib.import_module(f"counterfoil.{module}"), function))

    def __iter__(self) -> Iterator[Key]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)


TASKS: Mapping[Key, Task] = _Places(
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

# What a task can do before it is asked, given the lab and what `Started.get_ready` is told: its value is the task's
# `ready`.
READY: Mapping[Key, Callable[[Mapping[str, Any], Progress], object]] = _Places(
    {
        (ProcessRole.LINKER, "link_cohort"): ("study.linker", "get_ready"),
        (ProcessRole.ANALYST, "evaluate"): ("study.getting_ready", "get_ready"),
    }
)
# Tasks that are told where to put their answer, and go on working after it.
ANSWERS_EARLY = frozenset({(ProcessRole.LINKER, "link_cohort")})
