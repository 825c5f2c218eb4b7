"""Short ways to write graph nodes and small programs by hand."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from rbcalc_kernels.exact.rows import Row
from rbcalc_kernels.language.types import COUNT, DATE, DAYS, POUNDS, YES_NO, Choice, Type
from rbcalc_kernels.program.graph import (
    Aggregate,
    Dated,
    Entity,
    Input,
    Node,
    Op,
    Parameter,
    Period,
    Program,
    Ref,
    Register,
    Rule,
    Source,
    Value,
)

FIRST = 20_544  # 1 April 2026
LAST = FIRST + 364
HALF_YEAR = FIRST + 183  # 1 October 2026
COLOUR = Choice("colour", ("red", "green"))


def number(value: int | str | Fraction) -> Node:
    return Node(Op.CONST, POUNDS, value=Fraction(value))


def const(value: Value, type_: Type = DATE) -> Node:
    return Node(Op.CONST, type_, value=value)


def column(ref: str, type_: Type = POUNDS) -> Node:
    entity, name = ref.split(".")
    return Node(Op.COLUMN, type_, value=Ref(entity, name))


def known(ref: str) -> Node:
    entity, name = ref.split(".")
    return Node(Op.KNOWN, YES_NO, value=Ref(entity, name))


def node(op: Op, *args: Node, value: object = None, type_: Type = POUNDS) -> Node:
    return Node(op, type_, args, value)


def total(function: str, child: str, value: Node, where: Node | None = None, *otherwise: Node) -> Node:
    condition = where if where is not None else const(True, YES_NO)
    return Node(Op.AGGREGATE, POUNDS, (value, condition, *otherwise), Aggregate(function, child))


def rule(ref: str, body: Node, **more: object) -> Rule:
    entity, name = ref.split(".")
    return Rule(name, entity, body.type, body, **more)  # type: ignore[arg-type]


def parameter(name: str, *figures: tuple[int, Value], periods: tuple[int, ...] = (FIRST,)) -> Parameter:
    history = tuple(Dated(day, value, Source(f"from {day}")) for day, value in figures)
    by_period = tuple([dated.value for dated in history if dated.first_day <= day][-1] for day in periods)
    return Parameter(name, POUNDS, history, by_period)


def periods(*starts: int) -> tuple[Period, ...]:
    return tuple(Period(first, following - 1) for first, following in zip(starts, [*starts[1:], LAST + 1], strict=True))


def program(*rules: Rule, **more: object) -> Program:
    """A program with the entities and registers that most tests need."""
    entities = [
        Entity("holder", None),
        Entity("period", "holder", ordered=True, spell=True),
        Entity("member", "period"),
        Entity("item", "member"),
        Entity("event", "holder", ordered=True),
    ]
    inputs = [
        Input("start", "holder", DATE, built_in=False, table="holders", column="from"),
        Input("amount", "period", POUNDS, Fraction(0), Fraction(1000), Fraction(1, 100), table="facts", column="amount"),
        Input("colour", "period", COLOUR, table="facts", column="colour"),
        Input("level", "period", COUNT, Fraction(2), Fraction(9), optional=True, table="sites", column="level"),
        Input("born", "member", DATE, Fraction(-20_000), Fraction(30_000), optional=True, table="members", column="born"),
        Input("adult", "member", YES_NO, table="members", column="adult"),
        Input("income", "item", POUNDS, Fraction(-900), Fraction(900), Fraction(1, 100), table="items", column="income"),
        Input("number", "event", COUNT, Fraction(0), Fraction(99), table="events", column="number"),
        Input("effective", "event", DATE, Fraction(0), Fraction(30_000), table="events", column="effective"),
        *(Input(name, "period", DAYS if name == "days" else DATE, built_in=True) for name in ("first_day", "last_day", "days")),
    ]
    registers = [
        Register("holders", "holder", key="holder", references=("site",), dated=True),
        Register("facts", "period", by="holder", dated=True),
        Register("sites", "period", by="site", dated=True, optional=True),
        Register("members", "member", by="holder", key="member", dated=True, optional=True),
        Register("items", "item", by="member", dated=True, optional=True),
        Register("events", "event", by="holder", order_by="number", optional=True),
    ]
    made = Program(
        name="test",
        first_day=FIRST,
        last_day=LAST,
        entities={entity.name: entity for entity in entities},
        inputs={Ref(found.entity, found.name): found for found in inputs},
        rules=rules,
        parameters={},
        tables={},
        periods=periods(FIRST),
        cuts=(),
        lists={"colour": COLOUR},
        registers={register.name: register for register in registers},
        provisional=(),
        sources={},
    )
    return replace(made, **more)  # type: ignore[arg-type]


def root(*amounts: int) -> Row:
    """A holder with a period of thirty days for each amount."""
    top = Row("holder", {"start": FIRST})
    top.children["period"] = rows = []
    for place, amount in enumerate(amounts):
        first = FIRST + 30 * place
        values: dict[str, Value | None] = {
            "amount": Fraction(amount),
            "colour": "red",
            "level": None,
            "first_day": first,
            "last_day": first + 29,
            "days": Fraction(30),
        }
        rows.append(Row("period", values, parent=top, previous=rows[-1] if rows else None))
    return top
