"""The functions of the language: how a call is typed.

One table, `FUNCTIONS`, holds them all; a function is one entry here, one operator in the graph and one line in each
evaluator.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Final

from rbcalc_kernels.language.parser import Syntax
from rbcalc_kernels.language.types import COUNT, DATE, DAYS, RATE, RATIO, YES_NO, Number, Type
from rbcalc_kernels.language.units import CONVERSIONS
from rbcalc_kernels.program.expressions import Scope, Typer, known_if, met
from rbcalc_kernels.program.graph import Mode, Node, Op, Ref, Rounding
from rbcalc_kernels.source import suggest

Function = Callable[[Typer, Syntax, Scope, Type | None], Node]
WEEKDAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


def call(typer: Typer, syntax: Syntax, scope: Scope, expected: Type | None) -> Node:
    """The node of a function call.  Raises Stop with a finding when it does not fit."""
    function = FUNCTIONS.get(syntax.word)
    if function is None:
        typer.fail("RB048", f"no such function: {syntax.word}", syntax, help_=suggest(syntax.word, FUNCTIONS).strip(" ()"))
    return function(typer, syntax, scope, expected)


def _arity(typer: Typer, syntax: Syntax, least: int, most: int, usage: str) -> tuple[Syntax, ...]:
    if not least <= len(syntax.parts) <= most:
        typer.fail("RB049", f"{syntax.word} does not take {len(syntax.parts)} values", syntax, help_=f"write {usage}")
    for part in syntax.parts:
        if part.kind in ("where", "named", "mode"):
            typer.fail("RB049", f"{syntax.word} does not take this", part, help_=f"write {usage}")
    return syntax.parts


def _number(typer: Typer, part: Syntax, scope: Scope, expected: Type | None = None) -> Node:
    node = typer.infer(part, scope, expected)
    if not isinstance(node.type, Number):
        typer.fail("RB040", f"expected a number, found {node.type}", part)
    return node


def _least_or_greatest(typer: Typer, syntax: Syntax, scope: Scope, expected: Type | None) -> Node:
    if syntax.parts and _rows_named(typer, syntax.parts[0], scope):
        return _aggregate(typer, syntax, scope, expected)
    parts = _arity(typer, syntax, 2, 20, f"{syntax.word}(a, b)")
    joined = typer.infer(parts[0], scope, expected)
    op = Op.MIN if syntax.word == "min" else Op.MAX
    for part in parts[1:]:
        other = typer.infer(part, scope, expected or joined.type)
        joined, other = met(joined, other)
        if joined.type != other.type or not (isinstance(joined.type, Number) or joined.type == DATE):
            typer.fail("RB046", f"{syntax.word} of {joined.type} and {other.type}", part, label=str(other.type))
        joined = typer.node(op, joined.type, (joined, other), syntax)
    return joined


def _literal(typer: Typer, node: Node, part: Syntax) -> Fraction:
    if node.op is not Op.CONST or not isinstance(node.value, Fraction) or node.value <= 0:
        typer.fail("RB049", "the step of a rounding is written out", part, help_="write £0.01, £1 or another amount")
    return node.value


def _floor_or_ceil(typer: Typer, syntax: Syntax, scope: Scope, expected: Type | None) -> Node:
    parts = _arity(typer, syntax, 1, 2, f"{syntax.word}(x) or {syntax.word}(x, £1)")
    value = _number(typer, parts[0], scope)
    step = Fraction(1)
    if len(parts) == 2:
        given = typer.infer(parts[1], scope, value.type)
        step = _literal(typer, given, parts[1])
    elif value.type not in (RATE, RATIO, COUNT, DAYS):
        typer.fail("RB049", f"{syntax.word} of {value.type} needs a step", syntax, help_=f"write {syntax.word}(x, £1)")
    type_ = COUNT if value.type in (RATE, RATIO) and step.denominator == 1 else value.type
    return typer.node(Op.ROUND, type_, (value,), syntax, Rounding(Mode.DOWN if syntax.word == "floor" else Mode.UP, step))


def _round(typer: Typer, syntax: Syntax, scope: Scope, expected: Type | None) -> Node:
    usage = "round(x, £0.01, half up)"
    if len(syntax.parts) != 3:
        typer.fail("RB049", "round takes an amount, a step and a direction", syntax, help_=f"write {usage}")
    value = _number(typer, syntax.parts[0], scope)
    step = _literal(typer, typer.infer(syntax.parts[1], scope, value.type), syntax.parts[1])
    word = " ".join(syntax.parts[2].word.split()) or (syntax.parts[2].parts[0].word if syntax.parts[2].parts else "")
    if word not in set(Mode):
        typer.fail("RB049", f"no such direction: {word}", syntax.parts[2], help_="half up, half down, up or down")
    return typer.node(Op.ROUND, value.type, (value,), syntax, Rounding(Mode(word), step))


def _optional(typer: Typer, part: Syntax, scope: Scope) -> Ref:
    ref = typer.names.find(scope.entity, part.word) if scope.entity is not None and part.kind == "name" else None
    declared = typer.names.inputs.get(ref) if ref is not None else None
    if (
        ref is None
        or scope.entity is None
        or not (declared is not None and declared.optional or typer.names.may_lack(scope.entity, ref.entity))
    ):
        typer.fail(
            "RB044",
            "only an optional fact, or a value of a timeline that may have no row, may be absent",
            part,
            help_="name an input that is declared optional: yes, a value of a timeline that is not needed, or a cell of a sparse table",
        )
    return ref


def _known(typer: Typer, syntax: Syntax, scope: Scope, expected: Type | None) -> Node:
    part = _arity(typer, syntax, 1, 1, "known(x)")[0]
    if part.kind == "lookup":
        cell = typer.infer(part, scope)
        return typer.node(Op.KNOWN, YES_NO, cell.args, syntax, cell.value)
    return typer.node(Op.KNOWN, YES_NO, (), syntax, _optional(typer, part, scope))


def _first_known(typer: Typer, syntax: Syntax, scope: Scope, expected: Type | None) -> Node:
    parts = _arity(typer, syntax, 2, 9, "first_known(x, y)")
    first, rest = parts[0], parts[1:]
    test = _known(typer, Syntax("call", (first,), "known", first.start, first.end), scope, None)
    value = typer.infer(first, scope.knowing(known_if(test, True)), expected)
    if len(rest) == 1:
        other = typer.infer(rest[0], scope, expected or value.type)
    else:
        other = _first_known(typer, Syntax("call", rest, "first_known", rest[0].start, rest[-1].end), scope, expected)
    value, other = met(value, other)
    if value.type != other.type:
        typer.fail("RB046", f"first_known of {value.type} and {other.type}", rest[0], label=str(other.type))
    return typer.node(Op.IF, value.type, (test, value, other), syntax)


def _rows_named(typer: Typer, part: Syntax, scope: Scope) -> str | None:
    inner = part.parts[0] if part.kind == "where" else part
    if inner.kind not in ("name", "path"):
        return None
    for name, entity in typer.names.entities.items():
        named = inner.word in (entity.members, name) and entity.parent is not None and name != scope.entity
        if named and (inner.kind == "path" or scope.entity is None or typer.names.find(scope.entity, inner.word) is None):
            return name
    return None


def _aggregate(typer: Typer, syntax: Syntax, scope: Scope, expected: Type | None) -> Node:
    function = syntax.word
    usage = f"{function}(members.value where condition)" if function in ("sum", "min", "max") else f"{function}(members where condition)"
    if scope.entity is None and function == "sum" and len(syntax.parts) == 1 and syntax.parts[0].kind == "named":
        return _over(typer, syntax, scope)
    if not syntax.parts:
        typer.fail("RB049", f"{function} of nothing", syntax, help_=f"write {usage}")
    if scope.entity is None:
        typer.fail("RB050", f"{function} has no rows to go through in a figure or a table", syntax, help_="make a rule of it")
    child = _rows_named(typer, syntax.parts[0], scope)
    if child is None:
        members = [e.members or n for n, e in typer.names.entities.items() if e.parent == scope.entity]
        typer.fail(
            "RB050",
            f"{function} needs the rows that belong to {scope.entity}",
            syntax.parts[0],
            help_=f"write {usage} with one of: {', '.join(members) or 'none'}",
        )
    if typer.names.entities[child].parent != scope.entity:
        parent = typer.names.entities[child].parent
        typer.fail(
            "RB050",
            f"rows of {child} belong to {parent}, not to {scope.entity}",
            syntax.parts[0],
            help_=f"make a rule of {parent} that adds them up, and add that up here",
        )
    part = syntax.parts[0]
    inside = Scope(child)
    test: Node | None = None
    if part.kind == "where":
        test = typer.condition(part.parts[1], inside)
        part = part.parts[0]
    value: Node | None = None
    if part.kind == "path":
        name = part.parts[0]
        value = typer.infer(
            Syntax("name", (), name.word, name.start, name.end), inside.knowing(known_if(test, True) if test else frozenset())
        )
    yes = typer.node(Op.CONST, YES_NO, (), syntax, True)
    if function in ("any", "all", "count"):
        if value is not None:
            if value.type != YES_NO:
                typer.fail("RB040", f"{function} asks a yes/no, found {value.type}", part)
            test = value if test is None else typer.node(Op.AND, YES_NO, (test, value), syntax)
        if test is None and function != "count":
            test = yes if function == "any" else typer.fail("RB049", "all of what?", syntax, help_=f"write {usage}")
        return typer.aggregate(function, child, yes, test or yes, None, COUNT if function == "count" else YES_NO, syntax)
    if value is None or not (isinstance(value.type, Number) or (value.type == DATE and function != "sum")):
        typer.fail("RB049", f"{function} of what?", syntax, help_=f"write {usage}")
    none: Node | None = None
    for extra in syntax.parts[1:]:
        if extra.kind != "named" or extra.word != "none" or function == "sum":
            typer.fail("RB049", f"{function} does not take this", extra, help_=f"write {usage}")
        none = typer.as_expected(typer.infer(extra.parts[0], scope, value.type), value.type, extra)
    if none is None and function != "sum":
        typer.fail("RB049", f"{function} of no rows is not a figure", syntax, help_=f"write {function}(members.value, none: ...)")
    return typer.aggregate(function, child, value, test or yes, none, value.type, syntax)


def _over(typer: Typer, syntax: Syntax, scope: Scope) -> Node:
    named = syntax.parts[0]
    choice = typer.names.lists.get(named.word)
    if choice is None:
        typer.fail("RB039", f"no such list: {named.word}", named, help_=suggest(named.word, typer.names.lists).strip(" ()"))
    body = typer.infer(named.parts[0], Scope(None, {**scope.keys, named.word: choice}))
    return typer.node(Op.OVER, body.type, (body,), syntax, (named.word, choice))


def _previous(typer: Typer, syntax: Syntax, scope: Scope, expected: Type | None) -> Node:
    usage = "previous(x, first: y)"
    if len(syntax.parts) != 2 or syntax.parts[0].kind != "name" or syntax.parts[1].kind != "named" or syntax.parts[1].word != "first":
        typer.fail("RB049", "previous takes a name and the value of the first row", syntax, help_=f"write {usage}")
    if scope.entity is None:
        typer.fail("RB051", "there is no row before in a figure or a table", syntax, help_="previous belongs in a rule")
    if not (typer.names.entities[scope.entity].ordered or typer.names.entities[scope.entity].spell):
        typer.fail("RB051", f"rows of {scope.entity} have no order", syntax, help_="previous is for a spell or an ordered entity")
    name = syntax.parts[0]
    ref = Ref(scope.entity, name.word)
    if ref not in typer.names.inputs and ref not in typer.names.rules:
        typer.fail(
            "RB039",
            f"{name.word} is not a value of {scope.entity}",
            name,
            help_=suggest(name.word, typer.names.visible(scope.entity)).strip(" ()"),
        )
    type_ = typer.names.type_of(ref)
    first = syntax.parts[1].parts[0]
    start = typer.as_expected(typer.infer(first, scope, type_), type_, first)
    declared = typer.names.inputs.get(ref)
    if declared is not None and declared.optional:
        typer.fail("RB044", f"'{ref.name}' may be absent", name, help_="make a rule with first_known(...) and ask for its previous value")
    return typer.node(Op.PREVIOUS, type_, (start,), syntax, ref)


def _reached(typer: Typer, syntax: Syntax, scope: Scope, expected: Type | None) -> Node:
    part = _arity(typer, syntax, 1, 1, "reached(date)")[0]
    if scope.entity is None:
        typer.fail("RB051", "there are no days in a figure or a table", syntax, help_="reached belongs in a rule")
    if typer.names.spell_of(scope.entity) is None:
        typer.fail("RB051", f"{scope.entity} is not cut in time", syntax, help_="reached is for a spell and the rows below it")
    day = typer.as_expected(typer.infer(part, scope, DATE), DATE, part)
    return typer.node(Op.REACHED, YES_NO, (day,), syntax)


def _conversion(typer: Typer, syntax: Syntax, scope: Scope, expected: Type | None) -> Node:
    part = _arity(typer, syntax, 1, 1, f"{syntax.word}(x)")[0]
    value = _number(typer, part, scope)
    wanted = Number("£/" + syntax.word.removeprefix("per_"))
    if value.type == wanted:
        typer.fail("RB040", f"the amount is {value.type} already", part)
    assert isinstance(value.type, Number)
    factors = CONVERSIONS[syntax.word].get(value.type.unit)
    if factors is None:
        typer.fail("RB040", f"{syntax.word} does not take {value.type}", part, help_=f"it takes {', '.join(CONVERSIONS[syntax.word])}")
    times, under, year = factors
    result = value
    if times != 1:
        result = typer.node(Op.MUL, wanted, (result, typer.node(Op.CONST, COUNT, (), syntax, Fraction(times))), syntax)
    if year:
        days = typer.node(Op.PARAMETER, DAYS, (), syntax, "days_in_year")
        result = typer.node(Op.MUL if year > 0 else Op.DIV, wanted, (result, days), syntax)
    if under != 1:
        result = typer.node(Op.DIV, wanted, (result, typer.node(Op.CONST, COUNT, (), syntax, Fraction(under))), syntax)
    return result


def _dates(op: Op, result: Type, *wanted: Type, usage: str, scale: int = 1) -> Function:
    def typed(typer: Typer, syntax: Syntax, scope: Scope, expected: Type | None) -> Node:
        parts = _arity(typer, syntax, len(wanted), len(wanted), usage)
        args = [typer.as_expected(typer.infer(part, scope, type_), type_, part) for part, type_ in zip(parts, wanted, strict=True)]
        if scale != 1:
            args[-1] = typer.node(Op.MUL, COUNT, (args[-1], typer.node(Op.CONST, COUNT, (), syntax, Fraction(scale))), syntax)
        return typer.node(op, result, tuple(args), syntax)

    return typed


def _birthday(typer: Typer, syntax: Syntax, scope: Scope, expected: Type | None) -> Node:
    """The day on which an age is reached: a birth on 29 February counts from 1 March in other years."""
    parts = _arity(typer, syntax, 2, 2, "birthday(birth_date, 18)")
    born = typer.as_expected(typer.infer(parts[0], scope, DATE), DATE, parts[0])
    years = typer.as_expected(typer.infer(parts[1], scope, COUNT), COUNT, parts[1])
    months = typer.node(Op.MUL, COUNT, (years, typer.node(Op.CONST, COUNT, (), syntax, Fraction(12))), syntax)
    one = typer.node(Op.CONST, COUNT, (), syntax, Fraction(1))
    into = typer.node(Op.SUB, COUNT, (typer.node(Op.DAY_OF_MONTH, COUNT, (born,), syntax), one), syntax)
    days = typer.node(Op.AS, DAYS, (into,), syntax)
    first = typer.node(Op.SUB, DATE, (born, days), syntax)
    return typer.node(Op.ADD, DATE, (typer.node(Op.MONTHS_AFTER, DATE, (first, months), syntax), days), syntax)


def _weekday(number: int) -> Function:
    def typed(typer: Typer, syntax: Syntax, scope: Scope, expected: Type | None) -> Node:
        part = _arity(typer, syntax, 1, 1, f"{syntax.word}(date)")[0]
        day = typer.as_expected(typer.infer(part, scope, DATE), DATE, part)
        return typer.node(Op.NEXT_WEEKDAY, DATE, (day,), syntax, number)

    return typed


FUNCTIONS: Final[dict[str, Function]] = {
    "min": _least_or_greatest,
    "max": _least_or_greatest,
    "floor": _floor_or_ceil,
    "ceil": _floor_or_ceil,
    "round": _round,
    "known": _known,
    "first_known": _first_known,
    "sum": _aggregate,
    "count": _aggregate,
    "any": _aggregate,
    "all": _aggregate,
    "previous": _previous,
    "reached": _reached,
    **dict.fromkeys(CONVERSIONS, _conversion),
    "months_after": _dates(Op.MONTHS_AFTER, DATE, DATE, COUNT, usage="months_after(date, 6)"),
    "after_months": _dates(Op.AFTER_MONTHS, DATE, DATE, COUNT, usage="after_months(date, 3)"),
    "years_after": _dates(Op.MONTHS_AFTER, DATE, DATE, COUNT, usage="years_after(date, 1)", scale=12),
    "birthday": _birthday,
    "age": _dates(Op.YEARS_BETWEEN, COUNT, DATE, DATE, usage="age(birth_date, date)"),
    "months_between": _dates(Op.MONTHS_BETWEEN, COUNT, DATE, DATE, usage="months_between(from, to)"),
    "year": _dates(Op.YEAR, COUNT, DATE, usage="year(date)"),
    "month": _dates(Op.MONTH, COUNT, DATE, usage="month(date)"),
    "day_of_month": _dates(Op.DAY_OF_MONTH, COUNT, DATE, usage="day_of_month(date)"),
    **{f"next_{name}": _weekday(number) for number, name in enumerate(WEEKDAYS, 1)},
}
