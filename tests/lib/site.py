"""A lab with real reports of made-up results, and what takes them through clearance to the site."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from counterfoil import publication
from counterfoil.clearance import actions
from counterfoil.clearance.release import read_release
from counterfoil.disclosure import Protected, ProtectedRefusal
from counterfoil.lab.make import OpenLab, open_lab
from counterfoil.publication import Instant, Intervention, Sector
from counterfoil.report.signed import sign
from lib import pooled_runs
from lib.clearance import Office, make_office

DAY = "2026-08-03"  # a Monday in summer, more than four weeks after TODAY
WINTER = "2027-01-11"  # a Monday in winter, within the year that the calendar shows
V1, V2 = "0a1b2c3d4e5f", "5f4e3d2c1b0a"


@dataclass(frozen=True, slots=True)
class Press:
    """A lab's office with reports to publish."""

    office: Office

    @property
    def lab(self) -> OpenLab:
        return self.office.lab

    def on(self, day: str) -> Press:
        """The same lab on another day."""
        return Press(self.office.on(dt.date.fromisoformat(day)))

    def in_welsh(self, *, signed: bool = True) -> Press:
        """The same lab with Welsh switched on, and read by a translator or not."""
        file = self.lab.paths.settings
        file.write_text(f'languages = ["en", "cy"]\n{file.read_text()}')
        if signed:
            sign("cy", self.lab.paths.translation("cy"), translator="Siân Rees", on=self.lab.settings.date())
        return Press(replace(self.office, lab=open_lab(self.lab.paths.root)))

    def add(self, run: str, result: Protected | ProtectedRefusal, **said: Any) -> Press:
        """A finished run with a real report."""
        pooled_runs.add_run(self.lab, run, result, people=[f"{run}-{i}" for i in range(3)], **said)
        return self

    def clear(self, run: str) -> Press:
        """Submit, and two approvals."""
        lab, sign = self.lab, self.office.signer
        actions.submit(lab, run, signer=sign("amina"), team=[])
        for checker in ("ben", "cara"):
            actions.approve(lab, run, signer=sign(checker), release=read_release(lab.paths, run).digest)
        return self

    def plan(self, run: str, date: str = DAY, *, by: str = "dan", **said: Any) -> Press:
        """Fix the day."""
        given = {"intervention": Intervention.EMPLOYMENT, "sector": Sector.VOLUNTARY, **said}
        publication.plan(self.lab, run, signer=self.office.signer(by), date=date, **given)
        return self

    def release(self, now: Instant, run: str = "", *, by: str = "dan") -> tuple[str, ...]:
        return publication.release(self.lab, signer=self.office.signer(by), now=now, run=run)

    def site(self, now: Instant) -> Mapping[str, bytes]:
        return publication.site.files_of(self.lab, now=now)

    def published(self, run: str, result: Protected | ProtectedRefusal, date: str = DAY, **said: Any) -> Press:
        """All of it: from a finished run to a public report, the lab then being on that day."""
        plan = {key: said.pop(key) for key in ("intervention", "sector", "corrects", "reason") if key in said}
        self.add(run, result, **said).clear(run).plan(run, date, **plan)
        then = self.on(date)
        then.release(publication.release_time(date), run)
        return then


def press(folder: Path) -> Press:
    """A new lab with its people in force, on TODAY."""
    return Press(make_office(folder))


def noon(day: str) -> Instant:
    return dt.datetime.combine(dt.date.fromisoformat(day), dt.time(12), publication.clock.LONDON)


def texts_in(files: Mapping[str, bytes]) -> bytes:
    """All bytes of a site as one, to look for what must not be there."""
    return b"\n".join(name.encode() + b"\n" + data for name, data in sorted(files.items()))
