"""`publish LAB`: the whole site, built beside the old one and put in its place by one rename.

What is in it follows from the log, the approved bytes, the settings and the day. Built early, or twice, it is the same:
of a report whose time has not come there is its day in the calendar and nothing else, not even that it exists.
"""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from counterfoil.clearance import State, read_record
from counterfoil.clearance.record import Record
from counterfoil.errors import UsageError
from counterfoil.lab.files import atomic_folder, remove_abandoned
from counterfoil.lab.make import OpenLab
from counterfoil.publication.allowed import check_numbers
from counterfoil.publication.clock import Instant, day_in_london
from counterfoil.publication.diary import DIARY, to_diary
from counterfoil.publication.feed import FEED, to_atom
from counterfoil.publication.findings import findings_of
from counterfoil.publication.pages import Site, folder_of, notices_of, pages_of
from counterfoil.publication.planning import MONTHS_SHOWN, planned_of
from counterfoil.publication.published import Published, read_published
from counterfoil.publication.register import place_of, to_csv, to_dcat, to_json
from counterfoil.publication.releasing import apart_pairs
from counterfoil.publication.words import ENGLISH, site_words
from counterfoil.report.signed import find_drafts

SITE = "index.html"


@dataclass(frozen=True, slots=True)
class Built:
    """A site that stands: where, how many reports are in it, its languages; by language, texts that kept one out."""

    folder: Path
    reports: int
    languages: tuple[str, ...]
    drafts: Mapping[str, tuple[str, ...]]


def build(lab: OpenLab, *, now: Instant, out: Path | None = None) -> Built:
    """Build the site and put it in place of the old one; a reader sees the one or the other, never half.

    Refused: a log that does not hold, published bytes that were not approved (R29).
    A number that no approved report holds is a fault (R22). UsageError: `out` holds something that is no site.
    """
    folder = out or lab.paths.site
    _check_place(folder)
    files = files_of(lab, now=now)
    remove_abandoned([folder.parent])
    with atomic_folder(folder) as temporary:
        for name, data in files.items():
            _put(temporary / name, data)
        temporary.chmod(0o755)
        _sync(temporary)
    _sync(folder.parent)
    return Built(
        folder,
        len({name.split("/")[1] for name in files if name.startswith("reports/")}),
        languages_of(lab),
        drafts_of(lab),
    )


def languages_of(lab: OpenLab) -> tuple[str, ...]:
    """Languages that the lab asks for and that have no draft (decision 22); English is always one."""
    return tuple(language for language in lab.settings.languages if language not in drafts_of(lab))


def drafts_of(lab: OpenLab) -> Mapping[str, tuple[str, ...]]:
    """Of each language that the lab asks for, the texts that nobody has signed as they are now, where there are any."""
    asked = [language for language in lab.settings.languages if language != ENGLISH]
    found = {language: find_drafts(language, lab.paths.translation(language)) for language in asked}
    return {language: drafts for language, drafts in found.items() if drafts}


def files_of(lab: OpenLab, *, now: Instant) -> Mapping[str, bytes]:
    """Every file of the site as it should stand at `now`, checked."""
    record = read_record(lab)
    site = _site(lab, record, now)
    base = lab.settings.publication.address
    made: dict[str, bytes] = {
        "register.json": to_json(site.published),
        "register.csv": to_csv(site.published),
        "catalogue.jsonld": to_dcat(site.published, site.lab, [site_words(each) for each in site.languages], base),
        **notices_of(site),
    }
    days = (*site.planned, *(each.date for each in site.published))
    for language in site.languages:
        words, under = site_words(language), f"{base}{folder_of(language)}" if base else ""
        made |= pages_of(site, language)
        made[f"{folder_of(language)}{DIARY}"] = to_diary(days, site.lab, record.lab, words)
        made[f"{folder_of(language)}{FEED}"] = to_atom(site.published, site.lab, record.lab, words, under)
    check_numbers(made, site, _other_names(made, base))
    return made | _approved(site.published)


def _site(lab: OpenLab, record: Record, now: Instant) -> Site:
    published = read_published(lab, record, now)
    today = day_in_london(now)
    waiting = [planned_of(c).date for c in record.cases.values() if c.state is State.SCHEDULED]
    return Site(
        lab=lab.settings.name,
        contact=lab.settings.publication.contact,
        published=published,
        planned=tuple(sorted({date for date in waiting if date >= today.isoformat()})),
        today=today,
        months=tuple(_month(today, ahead) for ahead in range(MONTHS_SHOWN + 1)),
        findings=findings_of(published, apart_pairs(lab)),
        languages=languages_of(lab),
    )


def _month(today: dt.date, ahead: int) -> dt.date:
    year, month = divmod(today.year * 12 + today.month - 1 + ahead, 12)
    return dt.date(year, month + 1, 1)


def _approved(published: tuple[Published, ...]) -> dict[str, bytes]:
    """The approved bytes, each where it stands for good."""
    return {f"reports/{p.run}/{place_of(p, name)}": data for p in published for name, data in p.files.items()}


def _other_names(made: Mapping[str, bytes], base: str) -> set[str]:
    """Hashes of styles and identifiers of the feed, which are made of digits and letters; the site's own address."""
    found = {base} if base else set()
    for name, data in made.items():
        if name.endswith(FEED):
            text = data.decode("utf-8")
            found |= {f"urn:uuid:{part.split('<', 1)[0]}" for part in text.split("urn:uuid:")[1:]}
    return found


def _check_place(folder: Path) -> None:
    if folder.is_dir() and any(folder.iterdir()) and not (folder / "register.json").is_file():
        raise UsageError(f"{folder} holds something that is no site. Give a folder that is empty or not there yet.")
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"{folder} is no folder. Give a folder that is empty or not there yet.")


def _put(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
