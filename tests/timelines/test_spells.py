"""The exact and the bulk maker of rows agree, row for row and fault for fault; and days always add up."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exact.graphs import FIRST, HALF_YEAR, LAST
from rbcalc_kernels.compiled import spells_machine
from rbcalc_kernels.compiled.batches import firsts
from rbcalc_kernels.compiled.spells import cut
from rbcalc_kernels.exact.faults import CalculationFault, Reason
from rbcalc_kernels.exact.rows import Record, Row
from rbcalc_kernels.exact.spells import build
from rbcalc_kernels.program.graph import Program
from timelines.made import (
    BESIDE,
    DIVIDED,
    GAPPED,
    OPEN,
    PLAIN,
    Registers,
    cut_dates,
    doubled,
    encode,
    flat_batch,
    flat_row,
    of_one,
    registers,
)

IDS = ["facts only", "periods and cuts", "gaps and few rows", "beside each other"]
PROGRAMS = pytest.mark.parametrize("made_for", [PLAIN, DIVIDED, GAPPED, BESIDE], ids=IDS)


def both_agree(made_for: Program, made: Registers) -> None:
    made = doubled(made) if made_for is BESIDE else made
    batch, rejected = cut(made_for, encode(made_for, made), cut_dates(made_for))
    faults = {
        int(root): (reason, register, int(day))
        for root, reason, register, day in zip(rejected.root, rejected.reasons, rejected.register, rejected.day, strict=True)
    }
    kept = {int(root): place for place, root in enumerate(batch.kept)}
    assert sorted([*faults, *kept]) == list(range(len(made["holders"])))
    for place, holder in enumerate(made["holders"]):
        found = built(made_for, made, holder)
        if isinstance(found, Row):
            assert place in kept, faults[place]
            assert flat_batch(made_for, batch, "holder", kept[place]) == flat_row(found)
            begins = firsts(batch.entities["period"])
            offsets = batch.entities["period"].offsets
            assert offsets is not None
            of_holder = begins[offsets[kept[place]] : offsets[kept[place] + 1]]
            assert of_holder.tolist() == [row.previous is None for row in found.children["period"]]
        else:
            assert faults.get(place) == (found.reason, found.register, found.first_day)


def built(made_for: Program, made: Registers, holder: Record) -> Row | CalculationFault:
    try:
        return build(made_for, of_one(made, holder))
    except CalculationFault as fault:
        return fault


@PROGRAMS
@settings(max_examples=150, deadline=None)
@given(made=registers())
def test_exact_and_bulk_rows_are_the_same(made_for: Program, made: Registers) -> None:
    both_agree(made_for, made)


@PROGRAMS
@settings(max_examples=10, deadline=None)
@given(made=registers(roots=8))
def test_compiled_loops_do_as_the_plain_ones(made_for: Program, made: Registers) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(spells_machine, "SMALL", 0)
        both_agree(made_for, made)


@settings(max_examples=100, deadline=None)
@given(made=registers(faulty=False, roots=1))
def test_days_add_up(made: Registers) -> None:
    (holder,) = made["holders"]
    found = built(DIVIDED, made, holder)
    if isinstance(found, CalculationFault):
        assert found.register == "members", found
        return
    rows = found.children["period"]
    first, last = max(int(holder["from"] or 0), FIRST), min(int(holder["to"] or OPEN), LAST)
    assert sum(Fraction(row.values["days"] or 0) for row in rows) == last - first + 1
    assert rows[0].values["first_day"] == first
    assert rows[-1].values["last_day"] == last
    for before, after in pairwise(rows):
        assert after.values["first_day"] == int(before.values["last_day"] or 0) + 1
        assert after.previous is before
    assert {row.values["first_day"] for row in rows if row.period == 1} - set(range(HALF_YEAR, LAST + 1)) == set()


def by_day(row: Row) -> Iterator[tuple[int, Any]]:
    for spell in row.children["period"]:
        values = {name: value for name, value in spell.values.items() if name not in ("first_day", "last_day", "days")}
        below = {name: [flat_row(child) for child in rows] for name, rows in spell.children.items()}
        for day in range(int(spell.values["first_day"] or 0), int(spell.values["last_day"] or 0) + 1):
            yield day, (values, below, spell.period)


@settings(max_examples=100, deadline=None)
@given(made=registers(faulty=False, roots=1), data=st.data())
def test_splitting_a_record_in_two_changes_no_day(made: Registers, data: st.DataObject) -> None:
    register = data.draw(st.sampled_from([name for name in ("facts", "members", "items", "sites") if made[name]]))
    place = data.draw(st.integers(0, len(made[register]) - 1))
    record = made[register][place]
    day = data.draw(st.integers(FIRST - 50, LAST))
    begins, ends = int(record["from"] or 0), record["to"]
    if not begins <= day < (OPEN if ends is None else int(ends)):
        return
    halves = [{**record, "to": day}, {**record, "from": day + 1}]
    split = {**made, register: [*made[register][:place], *halves, *made[register][place + 1 :]]}
    before = built(DIVIDED, made, made["holders"][0])
    if isinstance(before, CalculationFault):
        return
    after = build(DIVIDED, of_one(split, made["holders"][0]))

    def sorted_days(row: Row) -> list[tuple[int, str]]:
        """Members may change places when one of them begins later, so their order is left out."""
        return [
            (on, repr((values, {name: sorted(map(repr, rows)) for name, rows in below.items()}, period)))
            for on, (values, below, period) in by_day(row)
        ]

    assert sorted_days(before) == sorted_days(after)


def test_a_required_fact_that_is_missing_names_its_column() -> None:
    facts = [{"holder": "H", "from": FIRST, "to": None, "amount": None, "colour": "red"}]
    with pytest.raises(CalculationFault) as caught:
        build(PLAIN, {"holders": [{"holder": "H", "site": None, "from": FIRST, "to": None}], "facts": facts})
    assert (caught.value.reason, caught.value.register, caught.value.column) == (Reason.MISSING, "facts", "amount")


def test_an_empty_register_rejects_every_root_and_an_optional_one_may_be_missing() -> None:
    made: Registers = {name: [] for name in PLAIN.registers}
    made["holders"] = [{"holder": f"H{place}", "site": None, "from": FIRST, "to": None} for place in range(3)]
    encoded = encode(PLAIN, made)
    batch, rejected = cut(PLAIN, encoded)
    assert batch.kept.size == 0
    assert rejected.reasons == (Reason.GAP,) * 3
    assert rejected.register == ("facts",) * 3
    made["facts"] = [{"holder": f"H{place}", "from": 0, "to": None, "amount": Fraction(place), "colour": "red"} for place in range(3)]
    encoded = encode(PLAIN, made)
    for name in ("sites", "members", "items", "events"):
        del encoded[name]
    batch, rejected = cut(PLAIN, encoded)
    assert rejected.root.size == 0
    assert batch.entities["period"].count == 3
    assert batch.entities["period"].columns["level?"].tolist() == [0, 0, 0]
    assert batch.entities["period"].columns["level"].min() >= 2
    assert batch.entities["member"].count == 0
    assert batch.entities["member"].offsets is not None
    assert batch.entities["member"].offsets.tolist() == [0, 0, 0, 0]


def test_days_without_a_record_of_the_leading_register_have_no_row() -> None:
    facts = [{"holder": "H", "from": FIRST + 10, "to": FIRST + 19, "amount": Fraction(1), "colour": "red"}]
    made: Registers = {name: [] for name in PLAIN.registers} | {"facts": facts}
    made["holders"] = [{"holder": "H", "site": None, "from": FIRST, "to": None}, {"holder": "G", "site": None, "from": FIRST, "to": None}]
    both_agree(GAPPED, made)
    found = build(GAPPED, of_one(made, made["holders"][0]))
    assert [(row.values["first_day"], row.values["last_day"]) for row in found.children["period"]] == [(FIRST + 10, FIRST + 19)]
    assert build(GAPPED, of_one(made, made["holders"][1])).children["period"] == []


def test_more_rows_than_there_may_be_are_rejected_from_their_first_day() -> None:
    made: Registers = {name: [] for name in PLAIN.registers}
    made["holders"] = [{"holder": "H", "site": None, "from": FIRST, "to": None}]
    made["facts"] = [{"holder": "H", "from": FIRST, "to": None, "amount": Fraction(1), "colour": "red"}]
    made["members"] = [
        {"holder": "H", "member": f"M{n}", "from": FIRST + n, "to": FIRST + 50, "born": None, "adult": True} for n in range(3)
    ]
    both_agree(GAPPED, made)
    with pytest.raises(CalculationFault) as caught:
        build(GAPPED, of_one(made, made["holders"][0]))
    assert (caught.value.reason, caught.value.register, caught.value.first_day) == (Reason.TOO_MANY, "members", FIRST + 2)


def test_facts_are_not_copied_when_nothing_happens() -> None:
    made: Registers = {name: [] for name in PLAIN.registers}
    made["holders"] = [{"holder": f"H{place}", "site": None, "from": FIRST, "to": None} for place in range(3)]
    made["facts"] = [{"holder": f"H{place}", "from": 0, "to": None, "amount": Fraction(place), "colour": "red"} for place in range(3)]
    encoded = encode(PLAIN, made)
    batch, _ = cut(PLAIN, encoded)
    assert np.shares_memory(batch.entities["period"].columns["amount"], encoded["facts"].columns["amount"])


# ------------------------------------------------------------------------------------------------------------ beside each other
def facts(colour: str, *days: tuple[int, int | None]) -> list[Record]:
    return [
        {"holder": "H0", "from": FIRST + a, "to": None if b is None else FIRST + b, "amount": Fraction(1), "colour": colour}
        for a, b in days
    ]


def holders(*facts_of_one: Record) -> Registers:
    made: Registers = {name: [] for name in PLAIN.registers}
    made["holders"] = [{"holder": "H0", "site": None, "from": FIRST, "to": None}]
    made["facts"] = [dict(record) for record in facts_of_one]
    return made


def test_each_strand_is_cut_by_its_own_records_and_stands_in_the_order_of_its_first() -> None:
    made = holders(*facts("green", (20, 79), (80, None)), *facts("red", (10, 49), (50, 99)))
    found = build(replace(BESIDE, cuts=()), of_one(made, made["holders"][0]))
    told = [(row.key, int(row.values["first_day"] or 0) - FIRST, row.strand) for row in found.children["period"]]
    assert told[:3] == [("red", 10, 0), ("red", 50, 0), ("green", 20, 1)]
    both_agree(replace(BESIDE, cuts=()), made)


def test_two_records_of_one_strand_on_a_day_are_refused() -> None:
    made = holders(*facts("red", (0, 49), (40, 99)), *facts("green", (0, 99)))
    with pytest.raises(CalculationFault) as caught:
        build(BESIDE, of_one(made, made["holders"][0]))
    assert (caught.value.reason, caught.value.first_day) == (Reason.OVERLAP, FIRST + 40)
    both_agree(BESIDE, made)


def test_more_rows_beside_each_other_than_sums_are_proved_for_are_refused() -> None:
    days = [(day, day) for day in range(300)]
    made = holders(*facts("red", *days), *facts("green", *days))
    with pytest.raises(CalculationFault) as caught:
        build(BESIDE, of_one(made, made["holders"][0]))
    assert (caught.value.reason, caught.value.register) == (Reason.TOO_MANY, "facts")
    both_agree(BESIDE, made)
