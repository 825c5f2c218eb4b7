from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest

from exact.graphs import (
    COLOUR,
    FIRST,
    HALF_YEAR,
    column,
    const,
    known,
    node,
    number,
    parameter,
    periods,
    program,
    root,
    rule,
    total,
)
from rbcalc_kernels.exact.evaluator import evaluate, evaluate_constant
from rbcalc_kernels.exact.faults import CalculationFault, Reason
from rbcalc_kernels.exact.trace import Trace
from rbcalc_kernels.language.types import COUNT, DATE, POUNDS, YES_NO, Choice
from rbcalc_kernels.program.graph import (
    Bands,
    Case,
    Cells,
    Entity,
    Mode,
    Node,
    Op,
    Ref,
    Rounding,
    Table,
    Timeline,
    Value,
)

PENNY = Rounding(Mode.HALF_UP, Fraction(1, 100))


def values(found: dict[Ref, list[Value]], ref: str) -> list[Value]:
    entity, name = ref.split(".")
    return found[Ref(entity, name)]


def fault(*rules: object, reason: Reason, **more: object) -> CalculationFault:
    with pytest.raises(CalculationFault) as caught:
        evaluate(program(*rules, **more), root(10, 20))  # type: ignore[arg-type]
    assert caught.value.reason is reason
    return caught.value


def test_arithmetic_is_exact_and_rounds_only_where_it_says() -> None:
    third = rule("period.third", node(Op.DIV, column("period.amount"), number(3)))
    penny = rule("period.penny", node(Op.ROUND, column("period.third"), value=PENNY))
    found = evaluate(program(third, penny), top := root(10, -1))
    assert values(found, "period.third") == [Fraction(10, 3), Fraction(-1, 3)]
    assert values(found, "period.penny") == [Fraction("3.33"), Fraction("-0.33")]
    assert top.children["period"][0].values["penny"] == Fraction("3.33")


def test_what_does_not_apply_is_not_worked_out() -> None:
    broken = node(Op.DIV, number(1), number(0))
    never = node(Op.GT, broken, number(0), type_=YES_NO)
    no, yes = const(False, YES_NO), const(True, YES_NO)
    chosen = node(Op.IF, yes, number(1), broken)
    rules = (
        rule("holder.a", chosen),
        rule("holder.b", node(Op.AND, yes, no, never, type_=YES_NO)),
        rule("holder.c", node(Op.OR, no, yes, never, type_=YES_NO)),
        rule("holder.d", number(2)),
        rule("period.e", node(Op.IF, known("period.level"), column("period.level"), number(7))),
    )
    found = evaluate(program(*rules), root(1))
    assert [found[Ref("holder", name)] for name in "abcd"] == [[1], [False], [True], [2]]
    assert values(found, "period.e") == [7]


def test_a_fact_that_was_not_given_is_a_fault_with_its_rule() -> None:
    caught = fault(rule("period.x", column("period.level")), reason=Reason.UNKNOWN)
    assert caught.rule == Ref("period", "x")
    assert caught.column == "level"


@pytest.mark.parametrize(("function", "expected"), [("sum", 25), ("count", 2), ("any", True), ("all", False), ("min", 5), ("max", 20)])
def test_aggregates(function: str, expected: Value) -> None:
    where = node(Op.NE, column("period.amount"), number(10), type_=YES_NO)
    body = total(function, "period", column("period.amount"), where)
    assert values(evaluate(program(rule("holder.x", body)), root(5, 10, 20)), "holder.x") == [expected]


def test_aggregates_of_no_rows() -> None:
    amount = column("period.amount")
    rules = [rule(f"holder.{name}", total(name, "period", amount)) for name in ("sum", "count", "any", "all")]
    rules.append(rule("holder.least", total("min", "period", amount, None, number(3))))
    found = evaluate(program(*rules), root())
    assert [found[Ref("holder", name)] for name in ("sum", "count", "any", "all", "least")] == [
        [0], [0], [False], [True], [3],
    ]  # fmt: skip
    with pytest.raises(CalculationFault) as caught:
        evaluate(program(rule("holder.x", total("max", "period", amount))), root())
    assert caught.value.reason is Reason.NO_ROWS


def test_a_share_goes_out_and_in_again() -> None:
    rules = (
        rule("holder.total", total("sum", "period", column("period.amount"))),
        rule("period.share", node(Op.DIV, column("period.amount"), column("holder.total"))),
        rule("holder.whole", total("sum", "period", column("period.share"))),
    )
    found = evaluate(program(*rules), root(1, 2, 4))
    assert values(found, "period.share") == [Fraction(1, 7), Fraction(2, 7), Fraction(4, 7)]
    assert values(found, "holder.whole") == [1]


def test_previous_runs_through_two_rules() -> None:
    """`running` reads `kept` of the row before, and `kept` reads `running` of its own."""
    before = node(Op.PREVIOUS, number(0), value=Ref("period", "kept"))
    rules = (
        rule("period.running", node(Op.ADD, before, column("period.amount"))),
        rule("period.kept", node(Op.MIN, column("period.running"), number(25))),
    )
    assert values(evaluate(program(*rules), root(10, 20, 30)), "period.running") == [10, 30, 55]


def test_a_value_that_needs_itself_is_a_fault() -> None:
    rules = (rule("period.a", column("period.b")), rule("period.b", column("period.a")))
    assert fault(*rules, reason=Reason.CIRCULAR).rule is not None


def test_reached() -> None:
    body = node(Op.REACHED, const(FIRST + 30), type_=YES_NO)
    assert values(evaluate(program(rule("period.x", body)), root(1, 1, 1)), "period.x") == [False, True, True]


def test_parameters_by_period_and_by_day() -> None:
    rate = parameter("rate", (FIRST - 400, Fraction(1)), (FIRST, Fraction(2)), (HALF_YEAR, Fraction(3)),
                     periods=(FIRST, HALF_YEAR))  # fmt: skip
    then = node(Op.PARAMETER_AT, column("period.first_day", DATE), value="rate")
    long_ago = node(Op.PARAMETER_AT, const(FIRST - 1), value="rate")
    rules = (
        rule("period.now", Node(Op.PARAMETER, POUNDS, value="rate")),
        rule("period.then", then),
        rule("period.before", long_ago),
    )
    made = program(*rules, parameters={"rate": rate}, periods=periods(FIRST, HALF_YEAR))
    top = root(1, 1)
    top.children["period"][1].period = 1
    trace = Trace()
    found = evaluate(made, top, trace=trace)
    assert values(found, "period.now") == [2, 3]
    assert values(found, "period.then") == [2, 2]
    assert values(found, "period.before") == [1, 1]
    steps = trace.working(Ref("period", "now"), top.children["period"][1]).steps
    assert [str(step) for step in steps] == ["rate = 3"]
    assert steps[0].source is not None
    assert steps[0].source.text == f"from {HALF_YEAR}"
    never = rule("period.x", node(Op.PARAMETER_AT, const(0), value="rate"))
    with pytest.raises(CalculationFault) as caught:
        evaluate(replace(made, rules=(never,)), root(1))
    assert (caught.value.reason, caught.value.table) == (Reason.NO_FIGURE, "rate")


def table(upper: bool) -> Table:
    figures = tuple(Fraction(value) for value in ((1, 2, 3) if upper else (1, 2)))
    cells = Cells({("red",): ((Fraction(0), Fraction(10)), figures)})
    return Table("scale", POUNDS, (COLOUR,), Bands(POUNDS, upper), (cells,))


@pytest.mark.parametrize(
    ("upper", "expected"),
    [(False, [(0, 1), ("9.99", 1), (10, 2), (11, 2)]), (True, [(-5, 1), (0, 1), ("0.01", 2), (10, 2), (11, 3)])],
)
def test_banded_tables(upper: bool, expected: list[tuple[int | str, int]]) -> None:
    for amount, value in expected:
        body = node(Op.LOOKUP, column("period.colour", COLOUR), number(amount), value="scale")
        found = evaluate(program(rule("period.x", body), tables={"scale": table(upper)}), root(1))
        assert values(found, "period.x") == [value]


@pytest.mark.parametrize(("colour", "amount"), [("green", 5), ("red", -1)])
def test_a_table_without_the_cell_is_a_fault(colour: str, amount: int) -> None:
    body = node(Op.LOOKUP, const(colour, COLOUR), number(amount), value="scale")
    caught = fault(rule("period.x", body), reason=Reason.NO_CELL, tables={"scale": table(False)})
    assert (caught.rule, caught.table, caught.keys) == (Ref("period", "x"), "scale", (colour, Fraction(amount)))


def test_derived_rows_read_their_sources() -> None:
    made = program(
        rule("period.double", node(Op.MUL, column("period.amount"), number(2))),
        rule("period.from", node(Op.ADD, column("period.first_day", DATE), Node(Op.CONST, COUNT, value=Fraction(10)))),
        rule("award.x", node(Op.ADD, column("period.double"), column("holder.base"))),
        rule("holder.total", total("sum", "award", column("award.x"))),
        rule("holder.base", number(1)),
    )
    entities = {**made.entities, "award": Entity("award", "holder", True, True, (Timeline("period", "from"),))}
    made = replace(made, entities=entities)
    found = evaluate(made, top := root(10, 20))
    awards = top.children["award"]
    assert [(row.values["first_day"], row.values["last_day"]) for row in awards] == [
        (FIRST + 10, FIRST + 39),
        (FIRST + 40, FIRST + 59),
    ]
    assert values(found, "award.x") == [21, 41]
    assert values(found, "holder.total") == [62]
    assert list(evaluate(made, top, wanted=[Ref("period", "double")])) == [Ref("period", "double")]
    assert "award" not in top.children
    wanted = evaluate(made, top, wanted=[Ref("holder", "total")])
    assert values(wanted, "holder.total") == [62]
    assert Ref("period", "from") in wanted


def test_trace_tells_the_case_the_value_before_rounding_and_what_was_read() -> None:
    high = node(Op.GT, column("period.amount"), number(15), type_=YES_NO)
    less = node(Op.DIV, column("period.amount"), number(3))
    body = node(Op.ROUND, node(Op.IF, high, column("holder.limit"), less), value=PENNY)
    cases = (Case(high, column("holder.limit"), "above"), Case(None, less, "otherwise"))
    made = program(rule("holder.limit", number(15)), rule("period.x", body, cases=cases, rounding=PENNY))
    trace = Trace()
    evaluate(made, top := root(10, 20), trace=trace)
    first, second = top.children["period"]
    step = trace.working(Ref("period", "x"), first)
    assert (step.value, step.before) == (Fraction("3.33"), Fraction(10, 3))
    assert step.case is cases[1]
    assert [str(inner) for inner in step.steps] == ["period.amount = 10"]
    step = trace.working(Ref("period", "x"), second)
    assert step.case is cases[0]
    assert [str(inner) for inner in step.steps] == ["period.amount = 20", "holder.limit = 15"]
    assert step.steps[1].rule is made.rules[0]
    assert evaluate(made, top) == {Ref("holder", "limit"): [15], Ref("period", "x"): [Fraction("3.33"), 15]}


def test_deep_expressions_and_long_chains() -> None:
    deep = number(0)
    for _ in range(600):
        deep = node(Op.ADD, number(1), deep)
    choices = number(0)
    for _ in range(600):
        choices = node(Op.IF, const(False, YES_NO), number(1), choices)
    rules = [rule("period.r0", node(Op.ADD, deep, choices))]
    rules += [rule(f"period.r{place}", node(Op.ADD, column(f"period.r{place - 1}"), number(1))) for place in range(1, 600)]
    trace = Trace()
    found = evaluate(program(*rules), top := root(1), trace=trace)
    assert values(found, "period.r599") == [1199]
    step = trace.working(Ref("period", "r599"), top.children["period"][0])
    for _ in range(599):
        (step,) = step.steps
    assert step.value == 600


class Figures:
    def parameter(self, name: str) -> Value:
        return {"rate": Fraction(3)}[name]

    def cell(self, table: str, keys: tuple[Value, ...]) -> Value:
        return {"red": Fraction(1), "green": Fraction(10)}[str(keys[0])]

    def key(self, name: str) -> Value:
        return {"colour": "green"}[name]


def test_constants_with_keys_and_sums_over_lists() -> None:
    key = Node(Op.KEY, COLOUR, value="colour")
    cell = node(Op.LOOKUP, key, value="scale")
    rate = Node(Op.PARAMETER, POUNDS, value="rate")
    assert evaluate_constant(node(Op.MUL, rate, cell), Figures()) == 30
    over = node(Op.OVER, cell, value=("colour", Choice("colour", ("red", "green"))))
    assert evaluate_constant(node(Op.ADD, over, cell), Figures()) == 21
    assert evaluate_constant(cell, Figures(), {"colour": "red"}) == 1
