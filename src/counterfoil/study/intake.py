"""The intake's task: a delivery is checked, split between the roles and stored."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from counterfoil.domains import load
from counterfoil.domains.shares import delivered_schema
from counterfoil.errors import UsageError
from counterfoil.lab import log
from counterfoil.lab.make import open_lab
from counterfoil.lab.progress import Progress
from counterfoil.records.load import Intake
from counterfoil.records.load import load as load_delivery


def load_source(arguments: Mapping[str, Any], progress: Progress) -> dict[str, Any]:
    """Task `load` of the intake."""
    lab = open_lab(Path(arguments["lab"]))
    domain = load(lab.settings.domain)
    schema, gateway = delivered_schema(domain, arguments["source"])
    if gateway is not None:
        gateway.check_open(lab.settings.date())
    date = dt.date.fromisoformat(arguments["date"]) if arguments["date"] else lab.settings.date()
    today = lab.settings.date()
    if date > today:
        raise UsageError(
            f"The delivery is of {date.isoformat()}, and this lab's day is {today.isoformat()}. Give the day to which "
            "the delivery is complete: a later one would stand before every delivery until then."
        )
    files = [Path(file) for file in arguments["files"]]
    receipt = load_delivery(
        files,
        schema,
        lab.paths,
        delivery=date,
        codes=domain.codes,
        today=lab.settings.date(),
        intake=Intake(arguments.get("intake", Intake.WHOLE.value)),
        progress=progress,
    )
    added = {"added_to": receipt.added_to[-1].delivery} if receipt.added_to else {}
    log.append(lab.paths, "loaded", {"source": schema.name, "delivery": date.isoformat(), **added})
    deliveries = [part.delivery for part in receipt.parts()]
    said = {"source": schema.name, "delivery": date.isoformat(), "deliveries": deliveries}
    return {**said, "lines": receipt.lines()}
