"""What must hold for every account, whatever its facts."""

from __future__ import annotations

import random
from dataclasses import replace
from fractions import Fraction
from functools import cache
from itertools import pairwise

import numpy as np
import pytest

from agreement.accounts import Record, Records, nodes
from agreement.both import Columns, Compiling, Exactly, differences
from agreement.observing import OF_THE_CHARGE
from agreement.scenes import CHANGING, SCENES, Scene, mixed
from rbcalc.rulebook.both import encoded
from rbcalc.running.run import Kernel
from rbcalc_kernels.language.types import YES_NO, Choice
from rbcalc_kernels.program.graph import Cells, Op, Program, Ref, Value

SOME = 500
POUND = 100
THREE = [SCENES[0], SCENES[-1], CHANGING]
NUDGED = SCENES[-1]


def column(columns: Columns, name: str, entity: str = "account") -> np.ndarray:
    found: np.ndarray = columns.values[Ref(entity, name)]
    return found


def changed(records: Records, **registers: list[Record]) -> Records:
    return {**records, **registers}


# ---------------------------------------------------------------- the order and the division of records


@pytest.mark.parametrize("scene", THREE, ids=str)
def test_the_order_of_records_changes_nothing(scene: Scene) -> None:
    compiling, accounts, chance = Compiling(scene.program), mixed(scene, 0, SOME), random.Random(1)
    shuffled = [{name: chance.sample(rows, len(rows)) for name, rows in records.items()} for records in accounts]
    assert differences(compiling.run(accounts), compiling.run(shuffled), entities=["account", "period"]) == []


def divided(record: Record, first: int, last: int, chance: random.Random) -> list[Record]:
    """A record as two that say the same, divided on any of its days within the year."""
    begins = max(int(record["from"] or 0), first)
    ends = min(int(last if record["to"] is None else record["to"]), last)
    if ends <= begins:
        return [record]
    day = chance.randint(begins, ends - 1)
    return [{**record, "to": day}, {**record, "from": day + 1}]


@pytest.mark.parametrize("scene", THREE, ids=str)
def test_dividing_a_record_on_any_day_changes_nothing(scene: Scene) -> None:
    compiling, chance, program = Compiling(scene.program), random.Random(2), scene.program
    accounts = [scene.accounts.plausible(number) for number in range(SOME)]
    cut = [
        changed(
            records,
            dwellings=[part for record in records["dwellings"] for part in divided(record, program.first_day, program.last_day, chance)],
            people=[part for record in records["people"] for part in divided(record, program.first_day, program.last_day, chance)],
        )
        for records in accounts
    ]
    before, after = compiling.run(accounts), compiling.run(cut)
    assert len(after.account["period"]) > 1.5 * len(before.account["period"])
    assert differences(before, after, entities=["account"]) == []
    # Neighbouring equal periods are one stretch: as many stretches as before, each with its days and its charge.
    for name in ("stretch_days", "stretch_charge"):
        assert np.array_equal(*(ends_of_stretches(columns, name) for columns in (before, after)))


def ends_of_stretches(columns: Columns, name: str) -> np.ndarray:
    goes_on = column(columns, "same_stretch", "period")[1:] != 0
    found: np.ndarray = column(columns, name, "period")[~np.append(goes_on, False)]
    return found


# ---------------------------------------------------------------- days and money


@pytest.mark.parametrize("scene", THREE, ids=str)
def test_the_days_of_an_account_add_up(scene: Scene) -> None:
    exactly, program = Exactly(scene.program), scene.program
    for number in range(200):
        records = scene.accounts.plausible(number)
        account = records["accounts"][0]
        begins = max(int(account["from"] or 0), program.first_day)
        ends = min(int(program.last_day if account["to"] is None else account["to"]), program.last_day)
        periods = exactly.row(records).children["period"]
        days = [(int(row.values["first_day"] or 0), int(row.values["last_day"] or 0)) for row in periods]
        assert days[0][0] == begins and days[-1][1] == ends
        assert all(one[1] + 1 == other[0] for one, other in pairwise(days))
        assert sum(Fraction(row.values["days"] or 0) for row in periods) == ends - begins + 1


@pytest.mark.parametrize("scene", [*SCENES[::4], CHANGING], ids=str)
def test_no_figure_is_out_of_bounds(scene: Scene) -> None:
    found = Compiling(scene.program).run(mixed(scene, 0, 2_000))
    charge, reductions, bill = (column(found, name) for name in ("charge_total", "reductions", "bill"))
    assert (charge >= 0).all() and (bill >= 0).all() and (bill <= charge).all()
    assert (reductions >= 0).all() and (reductions <= charge).all()
    for name in ("charge", "gross", "reduction"):
        assert (column(found, name, "period") >= 0).all(), name
    # A line that explains the charge may be a penny below nothing, where equal charges for different amounts are one stretch;
    # with an annexe the line of the premium has the reduction in it.
    plain = column(found, "annexe_share", "period") == 0
    for name in ("premium_amount", "exemption_amount", "discount_amount"):
        assert (column(found, name, "period")[plain] >= -1).all(), name
    lines = column(found, "gross_charge") - column(found, "exempt_total") - column(found, "discount_total") + column(found, "premium_total")
    assert np.array_equal(lines, charge), "the lines of a bill add up"
    count, first, other = column(found, "instalments"), column(found, "first_instalment"), column(found, "other_instalment") * POUND
    assert np.array_equal(first + np.maximum(count - 1, 0) * other, column(found, "to_pay")), "the instalments add up"
    assert (first[count > 1] >= 500).all() and (other[count > 1] >= 500).all()


@pytest.mark.parametrize("scene", THREE[:2], ids=str)
def test_every_report_adds_up_to_the_bills(scene: Scene) -> None:
    kernel, records = Kernel(scene.program), [scene.accounts.plausible(number) for number in range(SOME)]
    batch, _, results = kernel.run(encoded(scene.program, records), threads=2)
    facts = {ref: batch.entities[ref.entity].columns[ref.name] for ref in kernel.facts}
    kernel.totals.add({**results.columns, **facts}, results.denominators, {})
    bills = Fraction(int(column(Compiling(scene.program).run(records), "charge_total").sum()), 100)
    days = Fraction(int(batch.entities["period"].columns["days"].sum()))
    seen = 0
    for report in (report for report in scene.program.reports if report.entity == "period"):
        figures = list(kernel.totals.table(report).values())
        for place, ref in enumerate(report.sums):
            if ref.name in ("charge", "days"):
                assert sum(row[place] for row in figures) == (bills if ref.name == "charge" else days), (report.name, ref.name)
                seen += 1
    assert seen >= 4


# ---------------------------------------------------------------- changed figures


def other_value(value: Value, step: Fraction, type_: object) -> Value:
    """The next value: a step less (more for nothing), the opposite, or another member of the list."""
    if type_ == YES_NO:
        return not value
    if isinstance(type_, Choice):
        return type_.members[(type_.members.index(str(value)) + 1) % len(type_.members)]
    return Fraction(value) - step if value else step


def nudges(program: Program) -> dict[str, Program]:
    """The program with one parameter, or one cell of a table that rules read, changed by its step."""
    read = {str(node.value) for rule in program.rules for node in nodes(rule.body) if node.op is Op.LOOKUP}
    found = {}
    for name, parameter in program.parameters.items():
        values = tuple(other_value(value, parameter.step, parameter.type) for value in parameter.by_period)
        history = tuple(replace(d, value=other_value(d.value, parameter.step, parameter.type)) for d in parameter.history)
        found[name] = replace(program, parameters={**program.parameters, name: replace(parameter, by_period=values, history=history)})
    for name in sorted(read):
        table = program.tables[name]
        rows = table.by_period[0].rows
        for key, (edges, values) in rows.items():
            for place, value in enumerate(values):
                new = (*values[:place], other_value(value, table.step, table.type), *values[place + 1 :])
                cells = Cells({**rows, key: (edges, new)})
                found[f"{name}[{', '.join(key)}]{place}"] = replace(
                    program, tables={**program.tables, name: replace(table, by_period=(cells,))}
                )
    return found


@cache
def warm() -> tuple[Compiling, list[Records], Columns]:
    """A compiled program that has run, its accounts, and what they came to."""
    accounts = [NUDGED.accounts.plausible(number) for number in range(1_500)]
    compiling = Compiling(NUDGED.program)
    return compiling, accounts, compiling.run(accounts)


def moved(before: Columns, after: Columns) -> set[int]:
    """The accounts of which any value is another."""
    found: set[int] = set()
    for ref, values in before.values.items():
        whose, others = before.account[ref.entity], after.account[ref.entity]
        if np.array_equal(whose, others):
            found |= set(whose[values != after.values[ref]].tolist())
        else:
            counts = [np.bincount(each, minlength=1_500) for each in (whose, others)]
            found |= set(np.flatnonzero(counts[0] != counts[1]).tolist())
    return found


QUIET = {"second_home_premium_limit"}
"""Read, but no figure of the council reaches this limit of the law."""


@pytest.mark.parametrize("part", range(4))
def test_a_changed_figure_shows_at_once(part: int) -> None:
    compiling, accounts, before = warm()
    program = NUDGED.program
    nudged = nudges(program)
    assert len(nudged) >= 50
    read = {
        str(node.value)
        for body in (*(r.body for r in program.rules), *(c for _, c in program.cuts))
        for node in nodes(body)
        if node.op in (Op.PARAMETER, Op.LOOKUP)
    }
    # Figures that only rules of claims read move nothing here: these accounts have no claims.
    claims_only = {
        str(node.value)
        for rule in program.rules
        if rule.entity not in OF_THE_CHARGE
        for node in nodes(rule.body)
        if node.op in (Op.PARAMETER, Op.LOOKUP)
    } - {str(node.value) for rule in program.rules if rule.entity in OF_THE_CHARGE for node in nodes(rule.body)}
    chance = random.Random(part)
    silent = []
    registers = encoded(program, accounts)  # the facts are the same whatever the figures are
    for name in [name for name in sorted(nudged) if name.split("[")[0] not in claims_only][part::4]:
        other = Compiling(nudged[name], like=compiling)
        after = other.run_registers(registers)
        found = moved(before, after)
        chosen = [*chance.sample(sorted(found), min(8, len(found))), *chance.sample(range(len(accounts)), 8)]
        records = [accounts[number] for number in chosen]
        denominators = other.compiled.denominators
        exact = Exactly(nudged[name]).run(records, denominators)
        assert differences(exact, other.run(records)) == [], name
        if not found and name.split("[")[0] in read:
            silent.append(name)
    assert {name for name in silent if name.split("[")[0] not in QUIET and not beyond(name)} == set()


def beyond(name: str) -> bool:
    """Whether a cell is one that the figures of the council keep out of reach."""
    return name.startswith(("empty_premium_limit[]", "empty_premium[]0"))


def test_with_the_figures_put_back_everything_is_as_before() -> None:
    compiling, accounts, before = warm()
    there = Compiling(next(iter(nudges(NUDGED.program).values())), like=compiling)
    back = Compiling(NUDGED.program, like=there)
    assert differences(before, back.run(accounts)) == []
