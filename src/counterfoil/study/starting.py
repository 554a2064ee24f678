"""The two roles of an evaluation, started before the parent has read what it stands on itself.

Stands on little, for that reason. The linker needs no more than the lab to open the people of the records; the analyst
reads its program and waits for the plan.
"""

from __future__ import annotations

from contextlib import AbstractContextManager, ExitStack, nullcontext
from pathlib import Path
from types import TracebackType

from counterfoil.lab.paths import LabPaths
from counterfoil.study.roles import ProcessRole, start_role


class EvaluationRoles:
    """A linker and an analyst of a lab. The block ends when both have: the linker may go on after its answer."""

    def __init__(self, lab: Path) -> None:
        self._children = ExitStack()
        try:
            self.analyst = self._children.enter_context(start_role(ProcessRole.ANALYST, "evaluate", str(lab)))
            self.linker = self._children.enter_context(start_role(ProcessRole.LINKER, "link_cohort", str(lab)))
        except BaseException:
            self._children.close()
            raise
        self.linker.get_ready({})

    def __enter__(self) -> EvaluationRoles:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self._children.__exit__(kind, error, where)


def start_early(lab: Path) -> AbstractContextManager[EvaluationRoles | None]:
    """The roles of a lab, for a block in which they may be asked; nothing is started where there is no lab."""
    return EvaluationRoles(lab) if LabPaths(lab).settings.is_file() else nullcontext()
