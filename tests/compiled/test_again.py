"""A batch that stands ready gives, for any other figures, bit for bit what a fresh run gives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from threading import Lock
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compiled.programs import (
    COUNT,
    DATE,
    DAYS,
    ROOT,
    Bands,
    Batch,
    Op,
    Ref,
    col,
    const,
    figure,
    node,
    rounded,
    rule,
    table,
    test,
)
from compiled.test_entities import AWARD, KINDS, SPELL, batch, total, whole
from rbcalc_kernels.compiled.again import Standing, Taken
from rbcalc_kernels.compiled.evaluator import Compiled, compile_program
from rbcalc_kernels.program.graph import Cells, Node, Program

BILL, BACK, AWARDS, LATE, FIXED, CHAIN, NEEDED, DATED = OUTPUTS = tuple(
    Ref(ROOT, name) for name in ("bill", "back", "awards", "late_pay", "fixed", "chain", "needed", "dated")
)
STEPS = (0, 100, 500)
ALSO = {"rate": (Fraction(2),), "delay": (Fraction(300),), "limit": (Fraction(-200), Fraction(3000)), "dated_rate": (Fraction(9),)}
"""Values far from the present ones, for which kernels are to serve too."""
FIRST_FIGURE = 20_520


def figure_of(name: str, kind: Any = COUNT) -> Node:
    """A parameter."""
    return Node(Op.PARAMETER, kind, (), name)


def made() -> Program:
    """Everything that crosses rows, with figures that move dates, choose what is read, and leave figures in doubt."""
    plain = whole()
    income = col("income", COUNT, SPELL)
    amount = col("bill")
    for name in ("fine", "finer", "finest", "finer", "finest"):  # so long a chain that no word holds it
        amount = node(Op.MUL, amount, figure_of(name))
    effective = rule("effective", node(Op.ADD, col("first_day", DATE, SPELL), figure_of("delay", DAYS), kind=DATE), SPELL)
    rules = [effective if each.name == "effective" else each for each in plain.rules]
    a_month_before = node(Op.SUB, col("first_day", DATE, AWARD), const(30), kind=DATE)
    rules += [
        # A fact that not everybody gave is read only above a limit.
        rule("asked", node(Op.IF, test(Op.GT, col("paid", COUNT, SPELL), figure_of("limit")), income, const(0)), SPELL),
        rule("needed", total("sum", SPELL, col("asked", COUNT, SPELL))),
        rule("stepped", Node(Op.LOOKUP, COUNT, (col("kind", KINDS, ROOT), col("paid", COUNT, SPELL)), "steps"), SPELL),
        rule("held", Node(Op.PARAMETER_AT, COUNT, (a_month_before,), "dated_rate"), AWARD),
        rule("dated", total("sum", AWARD, col("held", COUNT, AWARD))),
        rule("fixed", node(Op.ADD, col("base"), total("sum", SPELL, col("stepped", COUNT, SPELL)))),
        rule("chain", rounded(amount)),
    ]  # fmt: skip
    parameters = [
        *plain.parameters.values(),
        figure("delay", 10, 10, step="1", kind=DAYS),
        figure("limit", 600, 600),
        figure("fine", "0.8311", "0.8311", step="1/10000"),
        figure("finer", "1.0007", "1.0007", step="1/10000"),
        figure("finest", "0.9973", "0.9973", step="1/10000"),
        figure("dated_rate", 1, 2, history=((FIRST_FIGURE, 1), (20_701, 2))),
    ]
    cells = {(kind,): (STEPS, (1, 2, 3)) for kind in KINDS.members}
    steps = table("steps", [KINDS], cells, Bands(COUNT, upper=False))
    tables = [*plain.tables.values(), replace(steps, by_period=steps.by_period * 2)]
    return replace(
        plain,
        rules=tuple(rules),
        parameters={each.name: replace(each, also=ALSO.get(each.name, ())) for each in parameters},
        tables={each.name: each for each in tables},
    )


def with_figures(plain: Program, figures: Mapping[str, Any]) -> Program:
    """The program with other figures: parameters for the whole year, or the values of a table's rows by their keys."""
    parameters, tables = dict(plain.parameters), dict(plain.tables)
    for name, value in figures.items():
        if name in parameters:
            old = parameters[name]
            history = tuple(replace(dated, value=Fraction(value)) for dated in old.history)
            parameters[name] = replace(old, by_period=(Fraction(value),) * len(old.by_period), history=history)
        else:
            changed = {
                keys: (edges, tuple(Fraction(each) for each in value.get(keys[0], values)))
                for keys, (edges, values) in tables[name].by_period[0].rows.items()
            }
            tables[name] = replace(tables[name], by_period=(Cells(changed),) * len(tables[name].by_period))
    return replace(plain, parameters=parameters, tables=tables)


def taken(standing: Standing, programs: Sequence[Program], count: int) -> list[tuple[dict[Ref, np.ndarray], set[int]]]:
    """The outputs under each program for all rows, and the rows that are unsure."""
    figures = [standing.figures(each) for each in programs]
    ready = [each for each in figures if each is not None]
    assert len(ready) == len(figures), "the figures fit what is compiled"
    found: list[tuple[dict[Ref, np.ndarray], set[int]]] = [
        ({ref: np.full(count, -(2**62), np.int64) for ref in standing.compiled.outputs}, set()) for _ in programs
    ]
    seen = np.zeros((len(programs), count), np.int64)
    lock = Lock()

    def take(number: int, each: Taken) -> None:
        with lock:
            seen[number][each.rows] += 1
            for ref, column in each.columns.items():
                found[number][0][ref][each.rows] = column
            found[number][1].update((each.unsure + each.rows.start).tolist())

    standing.through(ready, take)
    assert (seen == 1).all(), "each row of each set once"
    return found


def check(compiled: Compiled, data: Batch, plain: Program, sets: Sequence[Mapping[str, Any]], **options: int) -> list[set[int]]:
    """Hold what stands ready against a fresh run of each set of figures.  Gives the rows that are unsure, by set."""
    count = data.entities[ROOT].count
    changing = {name for each in sets for name in each}
    programs = [with_figures(plain, each) for each in sets]
    found = taken(Standing(compiled, data, changing, **options), programs, count)
    unsure = []
    for number, (columns, doubtful) in enumerate(found):
        # How much is in doubt rests on the shorter way that blocks may take; so the blocks are the same.
        fresh = compiled.with_parameters(programs[number]).run(data, block=options.get("block"))
        wrong = set(np.flatnonzero((fresh.fault != 0) | (fresh.doubt != 0)).tolist())
        assert doubtful == wrong, f"set {number}"
        sure = np.setdiff1d(np.arange(count), sorted(wrong))
        for ref, column in columns.items():
            assert np.array_equal(column[sure], fresh.columns[ref][sure].astype(np.int64)), f"{ref} of set {number}"
        unsure.append(wrong)
    return unsure


SETS: list[dict[str, Any]] = [
    {"rate": "0.25"},
    {"rate": "0.3"},
    {"delay": 10},
    {"delay": 0},
    {"limit": 0},
    {"limit": 2000},
    {"fine": "0.8312"},
    {"fine": "0.5", "finer": 1, "finest": 1},
    {"steps": {"low": (1, 2, 4)}},
    {"bands": {"high": (1,)}},
    {"dated_rate": 3},
    {},
]


@pytest.fixture(scope="module")
def plain() -> Program:
    return made()


@pytest.fixture(scope="module", params=["python", "numba"])
def compiled(request: pytest.FixtureRequest, plain: Program) -> Compiled:
    return compile_program(plain, OUTPUTS, engine=request.param)


@pytest.mark.parametrize("single", ["mixed", "all", "none"])
@pytest.mark.parametrize("options", [{"block": 1}, {"block": 7, "threads": 2}, {"block": 8192}, {"block": 8192, "threads": 2}], ids=repr)
def test_each_figure_by_itself(compiled: Compiled, plain: Program, single: str, options: dict[str, int]) -> None:
    data = batch(60, 3, single=single)
    for name in ("rate", "delay", "limit", "fine", "steps", "bands", "dated_rate"):
        check(compiled, data, plain, [{}, *(each for each in SETS if name in each), {}], **options)


def test_all_figures_at_once_and_back_again(compiled: Compiled, plain: Program) -> None:
    """Sets of figures follow one another in any order: nothing of one is left in the next."""
    merged: list[dict[str, Any]] = []
    for each in [*SETS, *reversed(SETS)]:
        merged.append({**(merged[-1] if merged else {}), **each})
    every = {name: value for each in SETS for name, value in reversed(each.items())}
    unsure = check(compiled, batch(80, 8), plain, [*merged, {}, every, {}], block=16)
    assert unsure[-1] == unsure[-3]
    assert len({frozenset(each) for each in unsure}) > 1, "figures decide who has no result"


def test_dates_that_move_make_other_rows(compiled: Compiled, plain: Program) -> None:
    """Awards begin later or earlier, in some blocks and not in others, and the figures that stood ready are as they were."""
    data = batch(50, 11)
    sets = [{"delay": days} for days in (10, 200, 10, 0, 40, 10)]
    check(compiled, data, plain, sets, block=9)
    fresh = [compiled.with_parameters(with_figures(plain, each)).run(data) for each in sets[:2]]
    assert len({each.entities[AWARD].count for each in fresh}) == 2, "the rows differ"


def test_rows_without_a_result_under_some_figures(compiled: Compiled, plain: Program) -> None:
    """A limit decides whether a fact is read that was not given; a day decides whether there is a figure yet."""
    none, all_, early = check(compiled, batch(60, 5), plain, [{"limit": 2800}, {"limit": "-200"}, {"delay": 0}], block=7)
    assert none < all_
    assert early - none


def test_figures_in_doubt(compiled: Compiled, plain: Program) -> None:
    """Half a penny exactly is what a long chain of products does not vouch for: other figures leave other rows in doubt."""
    assert "unsure" in compiled.source
    even = {"finer": 1, "finest": 1}
    whole_pence, half_pence = check(compiled, batch(60, 5), plain, [{"fine": 1, **even}, {"fine": "0.5", **even}], block=7)
    assert half_pence - whole_pence


def test_figures_that_never_touch_the_outputs_cost_nothing(compiled: Compiled, plain: Program) -> None:
    data = batch(30, 2)
    standing = Standing(compiled, data, ["nothing of the kind"], block=10)
    assert taken(standing, [plain, plain], 30)[0][1] == taken(standing, [plain], 30)[0][1]
    fresh = compiled.run(data)
    (columns, unsure) = taken(standing, [plain], 30)[0]
    sure = np.setdiff1d(np.arange(30), sorted(unsure))
    assert all(np.array_equal(column[sure], fresh.columns[ref][sure]) for ref, column in columns.items())


def test_only_what_follows_is_worked_out_again(plain: Program) -> None:
    """The functions that are called again are those that read the figure, or what such a function writes."""
    compiled = compile_program(plain, OUTPUTS, engine="python")
    data = batch(40, 6, single="all")
    everything = len((compiled.single or compiled.general).uniform.functions)
    names = ("nothing of the kind", "dated_rate", "fine", "rate")
    nothing, late, middle, early = (len(Standing(compiled, data, [name])._blocks[0]._calls) for name in names)
    assert nothing == 0 < late < middle < early <= everything


def test_figures_that_do_not_fit_are_told(plain: Program) -> None:
    """A figure finer or larger than was proved, or a table with more steps, must be compiled anew."""
    compiled = compile_program(plain, OUTPUTS, engine="python")
    standing = Standing(compiled, batch(5, 1), ["rate", "steps"])
    assert standing.figures(with_figures(plain, {"rate": "0.333"})) is None
    assert standing.figures(with_figures(plain, {"rate": 10**12})) is None
    many = {keys: (tuple(map(Fraction, range(40))), tuple(map(Fraction, range(40)))) for keys in plain.tables["steps"].by_period[0].rows}
    tables = {**plain.tables, "steps": replace(plain.tables["steps"], by_period=(Cells(many),) * 2)}
    assert standing.figures(replace(plain, tables=tables)) is None


def test_what_stands_ready_gives_values_of_the_root(plain: Program) -> None:
    compiled = compile_program(plain, [BILL, Ref(AWARD, "award")], engine="python")
    with pytest.raises(ValueError, match="root"):
        Standing(compiled, batch(5, 1), ["rate"])


@st.composite
def cases(draw: st.DrawFn) -> tuple[int, str, list[dict[str, Any]], dict[str, int]]:
    hundredths = st.integers(0, 200).map(lambda n: Fraction(n, 100))
    several = st.fixed_dictionaries(
        {},
        optional={
            "rate": hundredths,
            "delay": st.integers(0, 300),
            "limit": st.integers(-200, 2900),
            "fine": st.integers(0, 10**4).map(lambda n: Fraction(n, 10**4)),
            "steps": st.dictionaries(st.sampled_from(KINDS.members), st.tuples(*[st.integers(0, 5)] * 3)),
            "bands": st.dictionaries(st.sampled_from(KINDS.members), st.tuples(hundredths)),
            "dated_rate": st.integers(0, 9),
        },
    )
    sets = draw(st.lists(several, min_size=1, max_size=5))
    options = {"block": draw(st.sampled_from([1, 7, 8192])), "threads": draw(st.sampled_from([1, 2]))}
    return draw(st.integers(0, 10**6)), draw(st.sampled_from(["mixed", "all", "none"])), sets, options


@settings(max_examples=40)
@given(case=cases())
def test_any_figures_in_any_order(compiled: Compiled, plain: Program, case: Any) -> None:
    seed, single, sets, options = case
    check(compiled, batch(25, seed, single=single), plain, sets, **options)
