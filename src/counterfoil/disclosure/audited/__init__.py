"""A whole report before the intruder: its numbers as statements, beside earlier reports, repaired until safe."""

from counterfoil.disclosure.audited.compared import counts_once
from counterfoil.disclosure.audited.kept import read_said, write_said
from counterfoil.disclosure.audited.loop import Audited, Limit, protect_audited
from counterfoil.disclosure.audited.made import Compared, Control, People, Said
from counterfoil.disclosure.audited.record import Record, Repair
from counterfoil.disclosure.audited.said import say_report

__all__ = [
    "Audited",
    "Compared",
    "Control",
    "Limit",
    "People",
    "Record",
    "Repair",
    "Said",
    "counts_once",
    "protect_audited",
    "read_said",
    "say_report",
    "write_said",
]
