"""Where things lie in a lab (DESIGN 3). Nobody else spells these names."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

SETTINGS_FILE = "lab.toml"
REPORT, PDF = "report.html", "report.pdf"  # of a run; the copy as PDF is made when it is asked for
SAID = "said.json"  # of a run: the report as statements, with the people behind them, for later audits
MEMBERS = "members.age"  # of a run: study keys behind each number, closed to the linker, for the ledger
LINK_QUALITY = "link_quality.json"  # of a submission: how its entries ended, with their numbers and without any
RESULT = "result.json"  # of a run: its answer, and the files of its report with their hashes


@dataclass(frozen=True, slots=True)
class LabPaths:
    """The folders of one lab. The linker never opens `analyst`'s outcomes; the analyst opens nothing under `linker`."""

    root: Path

    @property
    def settings(self) -> Path:
        """`lab.toml`."""
        return self.root / SETTINGS_FILE

    @property
    def linker(self) -> Path:
        """Identifiers, the spine, submissions, the linker's key."""
        return self.root / "linker"

    @property
    def analyst(self) -> Path:
        """Facts and outcomes under register keys, runs, the analyst's key."""
        return self.root / "analyst"

    @property
    def public(self) -> Path:
        """What has been published, and the public keys."""
        return self.root / "public"

    @property
    def site(self) -> Path:
        """`public/site`: what a web server serves."""
        return self.public / "site"

    def published(self, run_id: str) -> Path:
        """`public/published/ID`: the approved bytes of a report that is public."""
        return self.public / "published" / run_id

    @property
    def heads(self) -> Path:
        """`public/heads`: signed heads of the log."""
        return self.public / "heads"

    @property
    def log_key(self) -> Path:
        """`log.key`: what the log's heads are signed with."""
        return self.root / "log.key"

    def translation(self, language: str) -> Path:
        """`wording/LANGUAGE.json`: who signed the translation into a language, and which texts."""
        return self.root / "wording" / f"{language}.json"

    @property
    def clearance_texts(self) -> Path:
        """`analyst/clearance`: reasons that people gave, by the hash that the log holds of them."""
        return self.analyst / "clearance"

    def linker_extract(self, source: str, delivery: str) -> Path:
        """`linker/extracts/SOURCE/DATE`; its person table is identifiers.parquet."""
        return self.linker / "extracts" / source / delivery

    def analyst_extract(self, source: str, delivery: str) -> Path:
        """`analyst/extracts/SOURCE/DATE`; its person table's facts are facts.parquet, other tables keep their names."""
        return self.analyst / "extracts" / source / delivery

    def latest_extracts(self, side: Path) -> dict[str, Path]:
        """The newest delivery of each source on one side: {source: folder}. Dates are ISO, so names sort by time."""
        return _newest_each(side / "extracts")

    def share(self, share: str) -> Path:
        """`linker/shares/NAME`: what the linker holds of another department's share, and what people ruled of it."""
        return self.linker / "shares" / share

    def share_identifiers(self, share: str, delivery: str) -> Path:
        """`linker/shares/NAME/identifiers/DATE`: identifiers of another department's share, apart from the sources."""
        return self.share(share) / "identifiers" / delivery

    def share_held(self, share: str, delivery: str) -> Path:
        """`linker/shares/NAME/held/DATE`: the share's facts, held until the link says whose they are."""
        return self.share(share) / "held" / delivery

    def latest_share(self, share: str) -> tuple[Path, Path] | None:
        """Identifiers and facts of the newest delivery of a share, or None."""
        found = _newest(self.share(share) / "identifiers")
        return None if found is None else (found, self.share_held(share, found.name))

    def share_secret(self, share: str) -> Path:
        """`linker/shares/NAME/share.secret`: what its pseudonyms are made with, and no other's."""
        return self.share(share) / "share.secret"

    def share_links(self, share: str, version: str) -> Path:
        """`linker/shares/NAME/links/VERSION`: people of the share, their links to people of the spine, the model."""
        return self.share(share) / "links" / version

    def latest_share_links(self, share: str) -> Path | None:
        """The newest link of a share, or None before the first."""
        return _newest(self.share(share) / "links")

    def share_keys(self, share: str, version: str) -> Path:
        """`analyst/share_keys/NAME/VERSION.parquet`: share_key, register_key, link_probability."""
        return self.analyst / "share_keys" / share / f"{version}.parquet"

    def latest_share_keys(self, share: str) -> Path | None:
        """The newest keys of a share, or None before `link --share`."""
        return _newest(self.analyst / "share_keys" / share)

    def share_facts(self, share: str, version: str) -> Path:
        """`analyst/shares/NAME/VERSION`: the share's tables under share_key, of linked people only."""
        return self.analyst / "shares" / share / version

    def spine(self, version: str) -> Path:
        """`linker/spine/VERSION`."""
        return self.linker / "spine" / version

    def latest_spine(self) -> Path | None:
        """The newest spine, or None before the first `link`."""
        return _newest(self.linker / "spine")

    def linking_stage(self, stage: str) -> Path:
        """`linker/links/STAGE`: what one stage of linking made, a folder for each key."""
        return self.linker / "links" / stage

    def models(self, name: str) -> Path:
        """`linker/models/SLICE`: the trained models of one slice, the newest in use."""
        return self.linker / "models" / name

    def latest_model(self, name: str) -> Path | None:
        """The model of a slice that is in use, or None."""
        return _newest(self.models(name))

    def register_keys(self, version: str) -> Path:
        """`analyst/register_keys/VERSION.parquet`: source, record_id, register_key."""
        return self.analyst / "register_keys" / f"{version}.parquet"

    def latest_register_keys(self) -> Path | None:
        """The newest table of register keys, or None."""
        return _newest(self.analyst / "register_keys")

    def journeys(self, version: str) -> Path:
        """`analyst/journeys/VERSION.parquet`: cases that moved from one court to another."""
        return self.analyst / "journeys" / f"{version}.parquet"

    def register(self, version: str) -> Path:
        """`analyst/register/VERSION`: index_events, covariates, early_offences, and outcomes apart."""
        return self.analyst / "register" / version

    def latest_register(self) -> Path | None:
        """The newest register, or None before the first `register`."""
        return _newest(self.analyst / "register")

    def submission(self, submission_id: str) -> Path:
        """`linker/submissions/ID`: the provider's file, age-encrypted, and the account of its rows."""
        return self.linker / "submissions" / submission_id

    def study_keys(self, run_id: str) -> Path:
        """`linker/study_keys/RUN.parquet`: whose each study key of a run is."""
        return self.linker / "study_keys" / f"{run_id}.parquet"

    @property
    def ledger_secret(self) -> Path:
        """`linker/ledger.secret`: what the ledger's people are hashed with, and nothing else."""
        return self.linker / "ledger.secret"

    def ledger_members(self, run_id: str) -> Path:
        """`linker/ledger/RUN.json`: keyed hashes of the people behind each population of a published report."""
        return self.linker / "ledger" / f"{run_id}.json"

    @property
    def ledger(self) -> Path:
        """`public/ledger`: what numbers were published, by cell, with the hash of the bytes."""
        return self.public / "ledger"

    def run(self, run_id: str) -> Path:
        """`analyst/runs/ID`."""
        return self.analyst / "runs" / run_id

    def pool(self, pool_id: str) -> Path:
        """`analyst/pools/ID`: several runs' released results together."""
        return self.analyst / "pools" / pool_id


def _newest(folder: Path) -> Path | None:
    if not folder.is_dir():
        return None
    found = sorted(p for p in folder.iterdir() if not p.name.startswith("."))
    return found[-1] if found else None


def _newest_each(folder: Path) -> dict[str, Path]:
    if not folder.is_dir():
        return {}
    sources = sorted(p for p in folder.iterdir() if p.is_dir() and not p.name.startswith("."))
    return {source.name: newest for source in sources if (newest := _newest(source)) is not None}
