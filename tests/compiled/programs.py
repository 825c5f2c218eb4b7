"""Small programs built straight from graph nodes, and a plain reading of them in fractions to hold kernels against."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from fractions import Fraction
from typing import Any

import numpy as np

from rbcalc_kernels.compiled.columns import Batch, EntityColumns
from rbcalc_kernels.compiled.evaluator import Results, compile_program
from rbcalc_kernels.language.types import COUNT, DATE, DAYS, YES_NO, Choice, Number, Type
from rbcalc_kernels.program.graph import (
    Aggregate,
    Bands,
    Cells,
    Dated,
    Entity,
    Input,
    Mode,
    Node,
    Op,
    Parameter,
    Period,
    Program,
    Ref,
    Rounding,
    Rule,
    Source,
    Table,
    Value,
)

ROOT = "account"
SOURCE = Source("made up")
EPOCH = date(1970, 1, 1)


def col(name: str, kind: Type = COUNT, entity: str = ROOT) -> Node:
    """A column."""
    return Node(Op.COLUMN, kind, (), Ref(entity, name))


def const(value: Any, kind: Type = COUNT) -> Node:
    """A constant."""
    return Node(Op.CONST, kind, (), Fraction(value) if isinstance(kind, Number) else value)


def node(op: Op, *args: Node, kind: Type = COUNT, value: object = None) -> Node:
    """Any other node."""
    return Node(op, kind, args, value)


def test(op: Op, *args: Node) -> Node:
    """A condition."""
    return Node(op, YES_NO, args)


test.__test__ = False  # type: ignore[attr-defined]


def rounded(body: Node, mode: Mode = Mode.HALF_UP, step: Fraction | str = "1/100") -> Node:
    """A rounded figure."""
    return Node(Op.ROUND, body.type, (body,), Rounding(mode, Fraction(step)))


def rule(name: str, body: Node, entity: str = ROOT) -> Rule:
    """A rule."""
    return Rule(name, entity, body.type, body, title=f"The {name}")


def fact(name: str, low: Any, high: Any, step: str = "1", kind: Type = COUNT, entity: str = ROOT, **more: Any) -> Input:
    """An input."""
    return Input(name, entity, kind, Fraction(low), Fraction(high), Fraction(step), **more)


def figure(name: str, *values: Any, step: str = "1/100", kind: Type = COUNT, history: Sequence[Any] = ()) -> Parameter:
    """A parameter, with a value for each period."""
    exact = tuple(Fraction(value) if isinstance(kind, Number) else value for value in values)
    dated = tuple(Dated(day, Fraction(value) if isinstance(kind, Number) else value, SOURCE) for day, value in history)
    return Parameter(name, kind, dated, exact, Fraction(step))


def table(
    name: str,
    axes: Sequence[Choice],
    cells: Mapping[tuple[str, ...], tuple[Sequence[Any], Sequence[Any]]],
    bands: Bands | None = None,
    kind: Type = COUNT,
    **more: Any,
) -> Table:
    """A table of one period."""
    rows = {
        keys: (
            tuple(Fraction(edge) for edge in edges),
            tuple(Fraction(value) if isinstance(kind, Number) else value for value in values),
        )
        for keys, (edges, values) in cells.items()
    }
    return Table(name, kind, tuple(axes), bands, (Cells(rows),), **more)


def program(
    rules: Iterable[Rule],
    inputs: Iterable[Input] = (),
    parameters: Iterable[Parameter] = (),
    tables: Iterable[Table] = (),
    entities: Iterable[Entity] = (Entity(ROOT, None),),
    periods: Sequence[Period] = (Period(20_544, 20_908),),
) -> Program:
    """A program."""
    return Program(
        "test", 20_544, 20_908, {entity.name: entity for entity in entities},
        {Ref(each.entity, each.name): each for each in inputs}, tuple(rules), {each.name: each for each in parameters},
        {each.name: each for each in tables}, tuple(periods), (), {}, {}, (), {},
    )  # fmt: skip


def rows(count: int = 0, *, of: Sequence[int] | None = None, parents: int = 0, period: Any = None, **columns: Any) -> EntityColumns:
    """Rows of an entity; `of` says which parent row each belongs to.  Columns named `x_known` become `x?`."""
    arrays = {
        (f"{name.removesuffix('_known')}?" if name.endswith("_known") else name): np.asarray(values) for name, values in columns.items()
    }
    count = count or (len(of) if of is not None else len(next(iter(arrays.values()))))
    offsets = parent = None
    if of is not None:
        parent = np.asarray(of, dtype=np.int32)
        offsets = np.searchsorted(parent, np.arange(parents + 1)).astype(np.int64)
    return EntityColumns(count, arrays, parent, offsets, None if period is None else np.asarray(period, dtype=np.uint8))


def draw(each: Input, count: int, random: np.random.Generator) -> np.ndarray:
    """Values of an input over its range, its ends among them."""
    if isinstance(each.type, Choice):
        return random.integers(0, len(each.type.members), count).astype(np.int8)
    den = each.step.denominator
    low, high = int(each.low * den), int(each.high * den)
    values = random.integers(low, high, count, endpoint=True)
    ends = random.random(count)
    values[ends < 0.1], values[ends > 0.9] = low, high
    for kind in (np.int8, np.int16, np.int32):
        if np.iinfo(kind).min <= low and high <= np.iinfo(kind).max:
            return values.astype(kind)
    return values


class NoValue(Exception):
    """A row that has no result."""


class Oracle:
    """Works out columns of a program in fractions, row by row."""

    def __init__(self, made: Program, entities: Mapping[str, EntityColumns]) -> None:
        self.program = made
        self.entities = entities
        self.rules = {Ref(each.entity, each.name): each for each in made.rules}
        self.memo: dict[tuple[Ref, int], Value] = {}

    def column(self, ref: Ref, row: int) -> Value:
        """The value of a column in a row."""
        if ref in self.rules:
            if (ref, row) not in self.memo:
                self.memo[ref, row] = self.value(self.rules[ref].body, ref.entity, row)
            return self.memo[ref, row]
        each = self.program.inputs[ref]
        columns = self.entities[ref.entity].columns
        if each.optional and not columns[f"{ref.name}?"][row]:
            raise NoValue
        raw = int(columns[ref.name][row])
        if isinstance(each.type, Number):
            return Fraction(raw, each.step.denominator)
        if isinstance(each.type, Choice):
            return each.type.members[raw]
        return bool(raw) if each.type == YES_NO else raw

    def see(self, start: str, row: int, end: str) -> int:
        """The row of another entity that a row reads."""
        at = start
        while at != end:
            entity = self.program.entities[at]
            line = [line.entity for line in entity.derived if line.entity == end]
            if line:
                row = int(self.entities[at].sources[end][row])
                if row < 0:
                    raise NoValue
                return row
            assert entity.parent is not None
            row = int(self.entities[at].parent[row])  # type: ignore[index]
            at = entity.parent
        return row

    def period(self, entity: str, row: int) -> int:
        """The parameter period of a row."""
        periods = self.entities[entity].period
        return 0 if periods is None else int(periods[row])

    def value(self, at: Node, entity: str, row: int) -> Any:
        """The value of an expression in a row."""
        if at.op is Op.CONST:
            return at.value
        if at.op is Op.IF:
            return self.value(at.args[1] if self.value(at.args[0], entity, row) else at.args[2], entity, row)
        if at.op is Op.AND:
            return all(self.value(arg, entity, row) for arg in at.args)
        if at.op is Op.OR:
            return any(self.value(arg, entity, row) for arg in at.args)
        what: Any = at.value
        if at.op is Op.COLUMN:
            return self.column(what, self.see(entity, row, what.entity))
        if at.op is Op.KNOWN:
            return bool(self.entities[what.entity].columns[f"{what.name}?"][self.see(entity, row, what.entity)])
        if at.op is Op.PREVIOUS:
            parent = self.entities[entity].parent
            if row == 0 or (parent is not None and parent[row] != parent[row - 1]):
                return self.value(at.args[0], entity, row)
            return self.column(what, row - 1)
        if at.op is Op.PARAMETER:
            return self.program.parameters[what].by_period[self.period(entity, row)]
        if at.op is Op.AGGREGATE:
            return self.aggregate(at, entity, row)
        return self.plain(at, what, [self.value(arg, entity, row) for arg in at.args], entity, row)

    def plain(self, at: Node, what: Any, args: list[Any], entity: str, row: int) -> Any:
        """The value of an operator that needs all its arguments."""
        match at.op:
            case Op.ADD | Op.SUB if at.type == DATE or (at.op is Op.SUB and at.args[1].type == DATE):
                a, b = Fraction(args[0]), Fraction(args[1])
                found = a + b if at.op is Op.ADD else a - b
                if found.denominator != 1:
                    raise NoValue
                return int(found) if at.type == DATE else found
            case Op.ADD:
                return args[0] + args[1]
            case Op.SUB:
                return args[0] - args[1]
            case Op.MUL:
                return args[0] * args[1]
            case Op.DIV:
                return args[0] / args[1]
            case Op.NEG:
                return -args[0]
            case Op.MIN:
                return min(args)
            case Op.MAX:
                return max(args)
            case Op.AS:
                return args[0]
            case Op.NOT:
                return not args[0]
            case Op.ROUND:
                return round_to(args[0], what)
            case Op.EQ | Op.NE | Op.LT | Op.LE | Op.GT | Op.GE:
                return getattr(type(args[0]), f"__{at.op.value}__")(args[0], args[1])
            case Op.LOOKUP:
                return self.lookup(self.program.tables[what], self.period(entity, row), args)
            case Op.PARAMETER_AT:
                found = [each.value for each in self.program.parameters[what].history if each.first_day <= args[0]]
                if not found:
                    raise NoValue
                return found[-1]
            case Op.REACHED:
                spell = next(n for n in (entity, *self.program.ancestors(entity)) if self.program.entities[n].spell)
                return self.column(Ref(spell, "first_day"), self.see(entity, row, spell)) >= args[0]
        return dated(at.op, what, args)

    def lookup(self, of: Table, period: int, keys: list[Any]) -> Any:
        """The value of a table."""
        amount = keys.pop() if of.bands is not None else None
        found = of.by_period[min(period, len(of.by_period) - 1)].rows.get(tuple(keys))
        if found is None:
            raise NoValue
        edges, values = found
        if of.bands is None:
            return values[0]
        passed = sum(1 for edge in edges if edge < amount or (edge == amount and not of.bands.upper))
        place = passed if of.bands.upper else passed - 1
        if not 0 <= place < len(values):
            raise NoValue
        return values[place]

    def aggregate(self, at: Node, entity: str, row: int) -> Any:
        """A figure over the rows below a row."""
        what: Any = at.value
        below = [each for each in range(self.entities[what.child].count) if self.see(what.child, each, entity) == row]
        taken = [self.value(at.args[1], what.child, each) for each in below]
        if what.function == "count":
            return Fraction(sum(taken))
        if what.function in ("any", "all"):
            return any(taken) if what.function == "any" else all(taken)
        values = [self.value(at.args[0], what.child, each) for each, use in zip(below, taken, strict=True) if use]
        if what.function == "sum":
            return sum(values, Fraction(0))
        if not values:
            if len(at.args) < 3:
                raise NoValue
            return self.value(at.args[2], entity, row)
        return min(values) if what.function == "min" else max(values)


def round_to(amount: Fraction, rounding: Rounding) -> Fraction:
    """A multiple of a step."""
    steps = amount / rounding.step
    half = Fraction(1, 2)
    return (
        rounding.step
        * {
            Mode.HALF_UP: lambda: math.floor(steps + half),
            Mode.HALF_DOWN: lambda: math.ceil(steps - half),
            Mode.UP: lambda: math.ceil(steps),
            Mode.DOWN: lambda: math.floor(steps),
        }[rounding.mode]()
    )


def dated(op: Op, what: Any, args: list[Any]) -> Any:
    """The value of a calendar operator, by the standard library."""
    first = EPOCH + timedelta(int(args[0]))
    match op:
        case Op.YEAR:
            return Fraction(first.year)
        case Op.MONTH:
            return Fraction(first.month)
        case Op.DAY_OF_MONTH:
            return Fraction(first.day)
        case Op.NEXT_WEEKDAY:
            return next(args[0] + k for k in range(1, 8) if (first + timedelta(k)).isoweekday() == what)
        case Op.MONTHS_AFTER | Op.AFTER_MONTHS:
            if args[1].denominator != 1:
                raise NoValue
            year, month = divmod(first.year * 12 + first.month - 1 + int(args[1]), 12)
            following = date(year + month // 11, (month + 1) % 12 + 1, 1)
            last = (following - timedelta(1)).day
            if op is Op.AFTER_MONTHS and first.day > last:
                return (following - EPOCH).days
            return (date(year, month + 1, min(first.day, last)) - EPOCH).days
    second = EPOCH + timedelta(int(args[1]))
    if op is Op.YEARS_BETWEEN:
        return Fraction(max(0, second.year - first.year - ((second.month, second.day) < (first.month, first.day))))
    assert op is Op.MONTHS_BETWEEN
    months = (second.year - first.year) * 12 + second.month - first.month
    return Fraction(max(0, months - (second.day < first.day)))


def root_of(made: Program, entities: Mapping[str, EntityColumns], entity: str, row: int) -> int:
    """The root row that a row belongs to."""
    while made.entities[entity].parent is not None:
        row = int(entities[entity].parent[row])  # type: ignore[index]
        entity = made.entities[entity].parent  # type: ignore[assignment]
    return row


def decoded(results: Results, made: Program, ref: Ref, row: int) -> Value:
    """A value of a run as the oracle gives it."""
    kind = next(each.type for each in made.rules if Ref(each.entity, each.name) == ref)
    raw = results.columns[ref][row]
    if isinstance(kind, Choice):
        return kind.members[int(raw)]
    if kind == YES_NO:
        return bool(raw)
    return int(raw) if kind == DATE else Fraction(int(raw), results.denominators[ref])


def check_against(made: Program, batch: Batch, outputs: Sequence[Ref], results: Results) -> int:
    """Hold a run against the oracle: equal, faulty where it has no value, or in doubt.  Gives the count of doubtful roots."""
    entities = {**batch.entities, **results.entities}
    oracle = Oracle(made, entities)
    failed: set[int] = set()
    for ref in outputs:
        for row in range(entities[ref.entity].count):
            root = root_of(made, entities, ref.entity, row)
            try:
                expected = oracle.column(ref, row)
            except NoValue:
                failed.add(root)
                continue
            if not results.doubt[root] and not results.fault[root]:
                assert decoded(results, made, ref, row) == expected, (ref, row)
    certain = results.doubt == 0
    assert failed & set(np.flatnonzero(certain).tolist()) == set(np.flatnonzero(certain & (results.fault > 0)).tolist())
    return int(results.doubt.sum())


def agrees(made: Program, batch: Batch, outputs: Sequence[Ref], engine: str = "python", **options: Any) -> Results:
    """Compile, run and hold against the oracle."""
    results = compile_program(made, outputs, engine=engine).run(batch, **options)
    check_against(made, batch, outputs, results)
    return results


__all__ = [
    "COUNT", "DATE", "DAYS", "ROOT", "YES_NO", "Aggregate", "Bands", "Batch", "Choice", "Entity", "Mode", "NoValue",
    "Op", "Period", "Ref", "agrees", "check_against", "col", "const", "draw", "fact", "figure", "node", "program",
    "rounded", "rows", "rule", "table", "test",
]  # fmt: skip
