"""Rows of several entities: aggregates, parents, the row before, spells, periods and derived rows."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from compiled.programs import (
    COUNT,
    DATE,
    DAYS,
    ROOT,
    YES_NO,
    Aggregate,
    Batch,
    Choice,
    Entity,
    Op,
    Period,
    Ref,
    agrees,
    check_against,
    col,
    const,
    fact,
    figure,
    node,
    program,
    rounded,
    rows,
    rule,
    table,
    test,
)
from rbcalc_kernels.compiled.evaluator import compile_program
from rbcalc_kernels.program.graph import Node, Timeline

SPELL, PERSON, AWARD = "spell", "person", "award"
ENTITIES = (
    Entity(ROOT, None),
    Entity(SPELL, ROOT, ordered=True, spell=True),
    Entity(PERSON, SPELL),
    Entity(AWARD, ROOT, ordered=True, spell=True, derived=(Timeline(SPELL, "effective"),)),
)
PERIODS = (Period(20_544, 20_700), Period(20_701, 20_908))
KINDS = Choice("kind", ("low", "middle", "high"))
TRUE = const(True, YES_NO)


def total(function: str, child: str, value: Node, condition: Node = TRUE, *default: Node, kind: Any = COUNT) -> Node:
    """An aggregate."""
    return Node(Op.AGGREGATE, kind, (value, condition, *default), Aggregate(function, child))


def whole() -> Any:
    """A program that uses everything that crosses rows."""
    inputs = [
        fact("base", 0, 2000, "1/100"),
        fact("kind", 0, 0, kind=KINDS),
        fact("first_day", 20_544, 20_908, kind=DATE, entity=SPELL, built_in=True),
        fact("last_day", 20_544, 20_908, kind=DATE, entity=SPELL, built_in=True),
        fact("days", 1, 366, kind=DAYS, entity=SPELL, built_in=True),
        fact("income", 0, 900, "1/100", entity=SPELL, optional=True),
        fact("pay", -50, 700, "1/100", entity=PERSON),
        fact("counts", 0, 0, kind=YES_NO, entity=PERSON),
    ]
    person, spell = PERSON, SPELL
    pay, counts = col("pay", COUNT, person), col("counts", YES_NO, person)
    income, days = col("income", COUNT, spell), col("days", DAYS, spell)
    known = Node(Op.KNOWN, YES_NO, (), Ref(spell, "income"))
    rate = Node(Op.PARAMETER, COUNT, (), "rate")
    rules = [
        rule("share", node(Op.DIV, node(Op.MUL, pay, rate), days_of(person)), person),
        rule("paid", total("sum", person, pay, counts), spell),
        rule("shares", total("sum", person, col("share", COUNT, person), counts), spell),
        rule("members", total("count", person, const(1), TRUE), spell),
        rule("least", total("min", person, pay, counts, const(7)), spell),
        rule("most", total("max", person, pay, counts, node(Op.NEG, days)), spell),
        rule("some", total("any", person, const(1), counts, kind=YES_NO), spell),
        rule("every", total("all", person, const(1), counts, kind=YES_NO), spell),
        rule("means", node(Op.IF, known, income, col("paid", COUNT, spell)), spell),
        rule("before", Node(Op.PREVIOUS, COUNT, (const(-1),), Ref(spell, "means")), spell),
        rule("running", node(Op.MIN, const(5000), node(Op.ADD, col("means", COUNT, spell),
             Node(Op.PREVIOUS, COUNT, (col("base"),), Ref(spell, "running")))), spell),
        rule("later", test(Op.GT, col("running", COUNT, spell), const(1000)), spell),
        rule("reached", Node(Op.REACHED, YES_NO, (const(20_650, DATE),)), person),
        rule("late_pay", total("sum", person, pay, col("reached", YES_NO, person)), ROOT),
        rule("part", rounded(node(Op.DIV, node(Op.MUL, node(Op.ADD, col("base"), col("shares", COUNT, spell)), days),
             const(365))), spell),
        rule("bill", total("sum", spell, col("part", COUNT, spell)), ROOT),
        rule("band", Node(Op.LOOKUP, COUNT, (col("kind", KINDS),), "bands"), ROOT),
        rule("back", node(Op.MUL, col("bill"), col("band"))),
        rule("seen", node(Op.ADD, col("bill"), col("running", COUNT, spell)), spell),
        rule("effective", node(Op.ADD, col("first_day", DATE, spell), const(10), kind=DATE), spell),
        rule("award", rounded(node(Op.MUL, col("means", COUNT, spell), rate)), AWARD),
        rule("lasts", node(Op.ADD, days_of(AWARD), col("base")), AWARD),
        rule("awards", total("sum", AWARD, col("award", COUNT, AWARD)), ROOT),
    ]  # fmt: skip
    inputs += [
        fact("first_day", 20_544, 20_908, kind=DATE, entity=AWARD, built_in=True),
        fact("days", 1, 366, kind=DAYS, entity=AWARD, built_in=True),
    ]
    bands = table("bands", [KINDS], {("low",): ((), (1,)), ("middle",): ((), ("1.5",)), ("high",): ((), (2,))})
    return program(rules, inputs, [figure("rate", "0.25", "0.5")], [bands], ENTITIES, PERIODS)


def days_of(entity: str) -> Node:
    """The days of the nearest spell."""
    return col("days", DAYS, SPELL if entity == PERSON else entity)


def batch(count: int, seed: int, *, single: str = "mixed") -> Batch:
    """Roots with spells and people; `single` is mixed, all or none."""
    random = np.random.default_rng(seed)
    spells = {"mixed": random.choice([0, 1, 1, 1, 2, 3], count), "all": np.ones(count, int)}.get(single, random.choice([0, 2, 3], count))
    of = np.repeat(np.arange(count), spells)
    cut = {1: [(20_544, 20_908)], 2: [(20_560, 20_700), (20_701, 20_908)], 3: [(20_544, 20_600), (20_601, 20_700), (20_701, 20_800)]}
    days = np.array([span for each in spells if each for span in cut[int(each)]]).reshape(-1, 2)
    members = random.choice([0, 1, 2, 4], len(of))
    under = np.repeat(np.arange(len(of)), members)
    period = (days[:, 0] > 20_700).astype(np.uint8)
    people = int(members.sum())
    return Batch({
        ROOT: rows(base=random.integers(0, 200_001, count).astype(np.int32), kind=random.integers(0, 3, count).astype(np.int8)),
        SPELL: rows(of=of.tolist(), parents=count, period=period, first_day=days[:, 0].astype(np.int32),
                    last_day=days[:, 1].astype(np.int32), days=(days[:, 1] - days[:, 0] + 1).astype(np.int16),
                    income=random.integers(0, 90_001, len(of)).astype(np.int32),
                    income_known=random.integers(0, 2, len(of)).astype(np.uint8)),
        PERSON: rows(of=under.tolist(), parents=len(of), period=period[under],
                     pay=random.integers(-5000, 70_001, people).astype(np.int32),
                     counts=random.integers(0, 2, people).astype(np.uint8)),
    })  # fmt: skip


PLAIN = [
    Ref(ROOT, "bill"), Ref(ROOT, "back"), Ref(ROOT, "late_pay"), *(Ref(SPELL, name) for name in (
        "paid", "members", "least", "most", "some", "every", "means", "before", "running", "later", "part", "seen")),
]  # fmt: skip
ALL = [*PLAIN, Ref(ROOT, "awards"), Ref(AWARD, "award"), Ref(AWARD, "lasts")]


@pytest.mark.parametrize("single", ["mixed", "all", "none"])
@pytest.mark.parametrize("engine", ["python", "numba"])
def test_everything_that_crosses_rows(single: str, engine: str) -> None:
    """Aggregates, parents, rows before, periods and derived rows agree, collapsed or not."""
    made, data = whole(), batch(60, 4, single=single)
    results = compile_program(made, ALL, engine=engine).run(data, block=17)
    check_against(made, data, ALL, results)
    assert results.entities[AWARD].count > 0 or single == "none"


@pytest.mark.parametrize("options", [{"threads": 2}, {"threads": 8}, {"block": 1}, {"block": 7, "threads": 2}, {"block": 10**6}])
def test_threads_and_blocks_change_nothing(options: dict[str, int]) -> None:
    """Results are the same however the rows are split."""
    made, data = whole(), batch(400, 9)
    compiled = compile_program(made, ALL, engine="numba")
    one, other = compiled.run(data), compiled.run(data, **options)
    for ref in ALL:
        assert one.columns[ref].dtype == other.columns[ref].dtype
        assert np.array_equal(one.columns[ref], other.columns[ref]), ref
    assert np.array_equal(one.doubt, other.doubt)
    assert np.array_equal(one.fault, other.fault)
    assert np.array_equal(one.entities[AWARD].sources[SPELL], other.entities[AWARD].sources[SPELL])


def test_missing_facts_are_faults_only_where_they_are_read() -> None:
    """An optional fact that was not given is a fault where a rule reads it, and only there."""
    inputs = [fact("x", 1, 9, optional=True), fact("y", 0, 9)]
    known = Node(Op.KNOWN, YES_NO, (), Ref(ROOT, "x"))
    high = test(Op.GT, col("y"), const(5))
    rules = [
        rule("safe", node(Op.IF, known, col("x"), const(0))),
        rule("both", test(Op.AND, known, test(Op.GT, col("x"), const(3)))),
        rule("either", test(Op.OR, high, test(Op.GT, col("x"), const(3)))),
        rule("out", node(Op.IF, high, col("x"), const(1))),
    ]
    data = Batch({ROOT: rows(x=np.array([5] * 20, np.int8), x_known=np.arange(20) % 2, y=np.arange(20, dtype=np.int8) % 10)})
    made = program(rules, inputs)
    results = agrees(made, data, [Ref(ROOT, name) for name in ("safe", "both")])
    assert not results.fault.any()
    results = agrees(made, data, [Ref(ROOT, "out"), Ref(ROOT, "either")])
    assert results.faults[results.fault[6] - 1].rule in (Ref(ROOT, "out"), Ref(ROOT, "either"))
    assert results.faults[results.fault[6] - 1].about == "account.x"


def test_a_batch_that_does_not_fit_is_refused() -> None:
    """Values outside their ranges, and rows that do not fit together, are errors."""
    made, data = whole(), batch(5, 1)
    compiled = compile_program(made, PLAIN, engine="python")
    data.entities[ROOT].columns["kind"][2] = 7
    with pytest.raises(ValueError, match=r"account\.kind holds 7, outside 0 to 2"):
        compiled.run(data)
    data = batch(5, 1)
    data.entities[SPELL].offsets = np.array([0, 1])
    with pytest.raises(ValueError, match="do not say which rows"):
        compiled.run(data)


def test_what_if_needs_no_new_code() -> None:
    """A changed figure is a changed array; one beyond the range that was proved compiles anew; both are right."""
    made, data = whole(), batch(40, 2)
    compiled = compile_program(made, ALL, engine="numba")
    compiled.run(data)
    for value in ("0.31", "0", "999"):
        other = program(made.rules, made.inputs.values(), [figure("rate", value, "0.9")], made.tables.values(), ENTITIES, PERIODS)
        changed = compiled.with_parameters(other)
        assert (changed.general is compiled.general) == (value != "999")
        check_against(other, data, ALL, changed.run(data))
