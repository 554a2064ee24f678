"""Entries of a list that are in doubt, as lots are drawn: one lot a person, in an order that no secret moves."""

from __future__ import annotations

import datetime as dt

import pyarrow as pa

from counterfoil.study.link_doubt import entries_in_order

DAY = dt.date(2020, 3, 2)


def doubt_of(*rows: tuple[int, int, str, float], start: dt.date = DAY) -> pa.Table:
    """entry, study key, register key, probability."""
    names = ("entry", "study_key", "register_key", "link_probability", "start_date")
    return pa.Table.from_pylist([dict(zip(names, (*row, start), strict=True)) for row in rows])


def test_two_rows_of_one_person_have_one_lot() -> None:
    doubt = doubt_of((0, 10, "a", 0.6), (0, 11, "b", 0.3), (1, 20, "a", 0.6), (1, 21, "b", 0.3), (2, 30, "c", 0.5))
    ordered, at = entries_in_order(doubt, {"a": 4}, {11: 7, 21: 8, 30: 9})
    assert ordered["study_key"].to_pylist() == [10, 11, 30]
    assert (ordered["entry"].to_pylist(), at) == ([0, 0, 1], [4, 7, 9])


def test_other_chances_or_another_start_is_another_entry() -> None:
    one = doubt_of((0, 10, "a", 0.6), (1, 20, "a", 0.5))
    assert entries_in_order(one, {"a": 4}, {})[0].num_rows == 2
    two = pa.concat_tables([doubt_of((0, 10, "a", 0.6)), doubt_of((1, 20, "a", 0.6), start=DAY.replace(day=3))])
    assert entries_in_order(two, {"a": 4}, {})[0].num_rows == 2


def test_neither_keys_nor_the_order_of_the_file_move_an_entry() -> None:
    doubt = doubt_of((0, 10, "z", 0.2), (0, 11, "b", 0.7), (1, 20, "m", 0.9))
    turned = doubt_of((5, 20, "a", 0.9), (3, 11, "y", 0.7), (3, 10, "c", 0.2))
    first = entries_in_order(doubt, {"z": 1, "m": 2, "b": 3}, {})
    second = entries_in_order(turned, {"c": 1, "a": 2, "y": 3}, {})
    for ordered, at in (first, second):
        assert (at, ordered["entry"].to_pylist()) == ([2, 3, 1], [0, 1, 1])
