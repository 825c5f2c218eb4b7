"""Every condition of every shipped rule is met both ways, every limit from both sides; what is asked for comes from the graph."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from functools import cache
from pathlib import Path

import pytest

from agreement.observing import OF_THE_CHARGE, Observing, Place, Seen
from agreement.scenes import CHANGING, SCENES, Scene, mixed, rules
from rbcalc.rulebook.cases import CaseReader, case_files
from rbcalc_kernels.exact.faults import CalculationFault
from rbcalc_kernels.exact.spells import Builder
from rbcalc_kernels.program.graph import Input, Node, Op, Program, Ref

ALL = [*SCENES, CHANGING]
ACCOUNTS = 300
SIDES = {Fraction(-1), Fraction(0), Fraction(1)}

NEVER_BINDS = {
    ("instalments_spread", Op.MIN): "at this line an instalment is under the least amount, so that fewer than all are left",
    ("instalments_spread", Op.MAX): "at this line the amount is twice the least one, so that there are two or more",
    ("charge_changes_so_far", Op.MIN): "a year has no more days than that on which the charge may change",
}
"""These tell the compiler that a divisor is from 1 to 12, and how far a count can go."""


@cache
def seen() -> Seen:
    """What the accounts of all scenes and the worked examples beside the statute of the charge meet."""
    found = Seen()
    for scene in ALL:
        evaluator, builder = Observing(scene.program, found), Builder(scene.program)
        for records in mixed(scene, 0, ACCOUNTS):
            _run(evaluator, builder, records)
    made: dict[int, tuple[Observing, Builder]] = {}
    reader = CaseReader(rules())
    england = Path(rules().library.root) / "england"
    reductions = [england / "council_tax_reduction" / f"{name}.cases.yaml" for name in ("prescribed", "joint")]
    for path in case_files([england / "council_tax", *reductions]):
        for example in reader.read(path):
            key = id(example.program)
            made[key] = made.get(key) or (Observing(example.program, found), Builder(example.program))
            _run(*made[key], example.records)
    return found


def _run(evaluator: Observing, builder: Builder, records: object) -> None:
    try:
        evaluator.run(builder.build(records))  # type: ignore[arg-type]
    except CalculationFault:
        return


def test_every_condition_is_true_and_false() -> None:
    answers = seen().answers
    assert len(answers) > 200
    assert [f"{place}: only {found}" for place, found in answers.items() if found != possible_answers(place)] == []


def possible_answers(place: Place) -> set[bool]:
    """Both, but for a cell of a table that is named outright: what it holds in any of the years."""
    node = place.node
    if node.op is not Op.LOOKUP or any(key.op is not Op.CONST for key in node.args):
        return {True, False}
    keys = tuple(str(key.value) for key in node.args)
    cells = [cells.rows[keys][1][0] for scene in ALL for cells in scene.program.tables[str(node.value)].by_period]
    return {bool(value) for value in cells}


def test_every_least_and_greatest_binds_and_does_not() -> None:
    signs = seen().signs
    assert len(signs) > 8
    idle = {(place.rule.name, place.node.op): place for place, found in signs.items() if not {-1, 1} <= found}
    assert {name: str(place) for name, place in idle.items() if name not in NEVER_BINDS} == {}
    assert set(NEVER_BINDS) <= set(idle), "an exception that is none"


def test_every_day_that_rules_ask_about_is_met_with_its_neighbours() -> None:
    reached = seen().reached
    assert len(reached) > 15
    assert [f"{place}: only {sorted(found)}" for place, found in reached.items() if found != {-1, 0, 1}] == []


def facts_compared(program: Program, place: Place) -> bool:
    """Whether a comparison is of a fact as it was given with something else."""
    return any(arg.op is Op.COLUMN and isinstance(program.inputs.get(arg.value), Input) for arg in place.node.args)  # type: ignore[arg-type]


def test_every_fact_is_met_at_its_limit_and_a_step_beside_it() -> None:
    distances = {place: found for place, found in seen().distances.items() if facts_compared(SCENES[-1].program, place)}
    assert len(distances) >= 4
    assert [f"{place}: only {sorted(found)}" for place, found in distances.items() if not found >= SIDES] == []


def possible(program: Program, rule: str, key: Node) -> set[Fraction] | None:
    """The values that a key can have, when it is a rule that gives one of a few; None when it can have any."""
    ref = key.value
    if key.op is not Op.COLUMN or not isinstance(ref, Ref) or ref in program.inputs:
        return None
    gives = [case.give for case in program.rule(ref.entity, ref.name).cases]
    return {Fraction(give.value) for give in gives} if gives and all(give.op is Op.CONST for give in gives) else None  # type: ignore[arg-type]


@pytest.mark.parametrize("scene", ALL, ids=str)
def test_every_edge_of_a_banded_table_is_met_with_its_neighbours(scene: Scene) -> None:
    found, program = seen(), scene.program
    assert found.lookups
    for (rule, table), key in found.lookups.items():
        can = possible(program, rule, key)
        for cells in program.tables[table].by_period:
            for edges, _ in cells.rows.values():
                wanted = {Fraction(edge) + side for edge in edges for side in SIDES}
                missed = (wanted if can is None else wanted & can) - found.keys[rule, table]
                assert not missed, (table, missed)
                assert can is None or set(map(Fraction, edges)) <= can, f"an edge of {table} that {key.value} never reaches"


def figures_of_the_charge(program: Program) -> Iterator[str]:
    """The parameters that the watched rules and the dates of their rows read."""
    nodes = [rule.body for rule in program.rules if rule.entity in OF_THE_CHARGE]
    nodes += [node for entity, node in program.cuts if entity in OF_THE_CHARGE]
    while nodes:
        node = nodes.pop()
        nodes += node.args
        if node.op in (Op.PARAMETER, Op.PARAMETER_AT):
            yield str(node.value)


def test_every_figure_that_the_statute_ever_had_is_in_use_in_some_scene() -> None:
    used: dict[str, set[object]] = {}
    there: dict[str, set[tuple[int, object]]] = {}
    for scene in ALL:
        program = scene.program
        read = set(figures_of_the_charge(program))
        for parameter in (found for found in program.parameters.values() if found.name in read):
            used.setdefault(parameter.name, set()).update(parameter.by_period)
            there.setdefault(parameter.name, set()).update(
                (d.first_day, d.value) for d in parameter.history if d.first_day <= program.last_day
            )
    missed = {name: {value for _, value in found} - used[name] for name, found in there.items()}
    assert {name: values for name, values in missed.items() if values} == {}


def test_every_change_within_a_year_falls_inside_some_account() -> None:
    changes = 0
    for scene in ALL:
        builder = Builder(scene.program)
        accounts = (
            [builder.build(records) for records in map(scene.accounts.plausible, range(60))] if len(scene.program.periods) > 1 else []
        )
        for period in scene.program.periods[1:]:
            changes += 1
            ends = [{int(row.values["last_day"]) for row in root.children["period"]} for root in accounts]  # type: ignore[arg-type]
            begins = [{int(row.values["first_day"]) for row in root.children["period"]} for root in accounts]  # type: ignore[arg-type]
            assert any(period.first_day - 1 in e and period.first_day in b for e, b in zip(ends, begins, strict=True))
    assert changes >= 3
