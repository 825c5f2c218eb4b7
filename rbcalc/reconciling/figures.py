"""Suppositions about figures of the rules: each a program with one figure, or the figures of one file, as in another year."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Final

from rbcalc._years import FinancialYear, iso
from rbcalc.errors import UsageError
from rbcalc.rulebook.rules import Council
from rbcalc_kernels.language.types import Number
from rbcalc_kernels.program.graph import Cells, Mode, Node, Op, Parameter, Program, Ref, Rounding, Table, Value
from rbcalc_kernels.program.names import YEAR_PARAMETERS
from rbcalc_kernels.source import RulesError

MOST_MEMBERS: Final = 12
"""The rows of longer axes are not exchanged one by one."""
PENNY: Final = Fraction(1, 100)


@dataclass(frozen=True, slots=True)
class Supposition:
    """What may be otherwise in the live system, in words, and the program in which it is so."""

    what: str
    program: Callable[[], Program]


def years_beside(council: Council, year: FinancialYear) -> list[tuple[str, Program]]:
    """The council's programs of the year before and the year after, as far as there are any."""
    found = []
    for begins in (year.begins - 1, year.begins + 1):
        other = FinancialYear(begins)
        try:
            found.append((str(other), council.program(other)))
        except (UsageError, RulesError):
            continue
    return found


def suppositions(program: Program, beside: list[tuple[str, Program]]) -> Iterator[Supposition]:
    """Figures as in another year: one by one, all of one file, all together; then the row of a neighbour in a table."""
    for label, other in beside:
        parameters = {name: made for name, own in program.parameters.items() if (made := _parameter(own, other, program)) is not None}
        tables = {name: rows for name, own in program.tables.items() if (rows := _table(own, other, program)) is not None}
        for name, parameter in parameters.items():
            yield _one(f"{_title(parameter)} as in {label}", program, {name: parameter}, {})
        for name, table in tables.items():
            yield _one(f"{_title(table)} as in {label}", program, {}, {name: table})
        files: dict[str, tuple[dict[str, Parameter], dict[str, Table]]] = {}
        for name, parameter in parameters.items():
            files.setdefault(_file(parameter), ({}, {}))[0][name] = parameter
        for name, table in tables.items():
            files.setdefault(_file(table), ({}, {}))[1][name] = table
        for file, (some, held) in files.items():
            if len(some) + len(held) > 1:
                yield _one(f"all figures of {file} as in {label}", program, some, held)
        if len(files) > 1:
            yield _one(f"all figures as in {label}", program, parameters, tables)
    for table in program.tables.values():
        yield from _neighbours(program, table)


def pro_rata(program: Program) -> Iterator[Supposition]:
    """The year taken for a day longer or shorter."""
    own = program.parameters.get("days_in_year")
    if own is None:
        return
    for days in (365, 366):
        if own.by_period[0] != days:
            made = replace(own, by_period=tuple(Fraction(days) for _ in own.by_period))
            yield _one(f"the year taken as {days} days", program, {own.name: made}, {})


def roundings(program: Program, ref: Ref) -> Iterator[tuple[str, int, Program]]:
    """The rule rounded otherwise: in words, by how many pence a figure of the year may change, and the program."""
    rule = program.rule(ref.entity, ref.name)
    inner = rule.body.args[0] if rule.body.op is Op.ROUND else rule.body
    unit = rule.type.unit if isinstance(rule.type, Number) else ""
    most = {"£/day": 366, "£/week": 53, "£/month": 12}.get(unit, 6)
    for mode in Mode:
        rounding = Rounding(mode, PENNY)
        if rule.rounding == rounding or (rule.body.op is not Op.ROUND and mode is Mode.HALF_DOWN):
            continue
        body = Node(Op.ROUND, rule.type, (inner,), rounding)
        changed = tuple(replace(each, body=body, rounding=rounding) if each is rule else each for each in program.rules)
        yield f"{rule.title} rounded to the penny, {mode}", most, replace(program, rules=changed)


def by_members(
    council: Council, year: FinancialYear, program: Program, beside: list[tuple[str, Program]], charges: tuple[Path, ...] = ()
) -> Iterator[Supposition]:
    """Rows of tables that other tables are worked out from, as in another year: all of a table, and each member of its first axis.

    The council's rules are checked again with those rows laid over them.
    """
    read = {str(node.value) for rule in program.rules for node in rule.body.reading if node.op is Op.LOOKUP}
    for label, other in beside:
        for name, own in program.tables.items():
            theirs = other.tables.get(name)
            if name in read or theirs is None or theirs.axes != own.axes or own.bands or not own.axes or not isinstance(own.type, Number):
                continue
            before, now = theirs.by_period[_end(other, program)].rows, own.by_period[0].rows
            members = [m for m in own.axes[0].members if any(now.get(k) != before.get(k) and k in before for k in now if k[0] == m)]
            whole = [members] if len(members) > 1 else []
            for chosen in (*whole, *([m] for m in members[: MOST_MEMBERS + 1] if len(members) <= MOST_MEMBERS)):
                text = _scenario(own, {k: v for k, v in before.items() if k[0] in chosen}, year)
                if text:
                    about = "" if chosen is members and len(members) > 1 else f", {chosen[0].replace('_', ' ')},"
                    linked = _linked(council, year, text, charges)
                    yield Supposition(f"{_title(own)}{about} as in {label}", linked)


def _linked(council: Council, year: FinancialYear, text: str, charges: tuple[Path, ...]) -> Callable[[], Program]:
    def made() -> Program:
        with tempfile.TemporaryDirectory(prefix="rbcalc-") as folder:
            path = Path(folder) / "supposed.yaml"
            path.write_text(text, encoding="utf-8")
            return council.linked(year, scenarios=(path,), own=charges).program

    return made


def _scenario(table: Table, rows: dict[tuple[str, ...], tuple[tuple[object, ...], tuple[Value, ...]]], year: FinancialYear) -> str:
    """A scenario that sets some rows of a table; empty where a figure cannot be written in pounds and pence."""
    lines = ["kind: scenario", "title: A supposition", f"from: {iso(year.first_day)}", f"to: {iso(year.last_day)}"]
    lines += ["source: {note: a supposition}", "set:", f"  {table.name}:", "    rows:"]
    last: tuple[str, ...] = ()
    for keys, (_, values) in sorted(rows.items()):
        value = values[0]
        if not isinstance(value, Fraction | int) or not isinstance(table.type, Number) or not table.type.is_money:
            return ""
        if (Fraction(value) * 100).denominator != 1:
            return ""
        shared = 0
        while shared < len(keys) - 1 and last[: shared + 1] == keys[: shared + 1]:
            shared += 1
        for depth in range(shared, len(keys) - 1):
            lines.append(f"{'  ' * (depth + 3)}{keys[depth]}:")
        pence = int(Fraction(value) * 100)
        lines.append(f"{'  ' * (len(keys) + 2)}{keys[-1]}: £{pence // 100}.{pence % 100:02}")
        last = keys
    return "\n".join(lines) + "\n" if rows else ""


def _one(what: str, program: Program, parameters: dict[str, Parameter], tables: dict[str, Table]) -> Supposition:
    def made() -> Program:
        return replace(program, parameters={**program.parameters, **parameters}, tables={**program.tables, **tables})

    return Supposition(what, made)


def _end(other: Program, program: Program) -> int:
    """Which of another year's figures counts: the last of a year before, the first of a year after."""
    return -1 if other.first_day < program.first_day else 0


def _parameter(own: Parameter, other: Program, program: Program) -> Parameter | None:
    theirs = other.parameters.get(own.name)
    if own.name in YEAR_PARAMETERS or theirs is None or theirs.type != own.type:
        return None
    value = theirs.by_period[_end(other, program)]
    if all(value == each for each in own.by_period):
        return None
    return replace(own, by_period=tuple(value for _ in own.by_period))


def _table(own: Table, other: Program, program: Program) -> Table | None:
    theirs = other.tables.get(own.name)
    if theirs is None or (theirs.type, theirs.axes, theirs.bands) != (own.type, own.axes, own.bands):
        return None
    cells = theirs.by_period[_end(other, program)]
    if all(cells == each for each in own.by_period) or not cells.rows:
        return None
    return replace(own, by_period=tuple(cells for _ in own.by_period))


def _neighbours(program: Program, table: Table) -> Iterator[Supposition]:
    """The amounts of one member of an axis taken from the member next to it."""
    if not isinstance(table.type, Number) or not table.type.is_money:
        return
    for axis, choice in enumerate(table.axes):
        if len(choice.members) > MOST_MEMBERS:
            continue
        for place, member in enumerate(choice.members):
            for near in (place - 1, place + 1):
                if not 0 <= near < len(choice.members):
                    continue
                theirs = choice.members[near]
                periods = tuple(_exchanged(cells, axis, member, theirs) for cells in table.by_period)
                if periods != table.by_period:
                    what = f"{_title(table)}: {member.replace('_', ' ')} has the row of {theirs.replace('_', ' ')}"
                    yield _one(what, program, {}, {table.name: replace(table, by_period=periods)})


def _exchanged(cells: Cells, axis: int, member: str, theirs: str) -> Cells:
    rows = dict(cells.rows)
    for keys in cells.rows:
        if keys[axis] == member:
            other = cells.rows.get((*keys[:axis], theirs, *keys[axis + 1 :]))
            if other is not None:
                rows[keys] = other
    return Cells(rows)


def _title(figure: Parameter | Table) -> str:
    return figure.title or figure.name.replace("_", " ")


def _file(figure: Parameter | Table) -> str:
    return figure.span.file if figure.span is not None else ""
