"""Dials: single figures of a program that are set to other values, at the command line or by the thousand."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from fractions import Fraction
from typing import TYPE_CHECKING, Final

from rbcalc._years import EPOCH, FinancialYear, iso
from rbcalc.errors import UsageError
from rbcalc_kernels.language.types import DAYS, Choice, Date, Number, Type
from rbcalc_kernels.program.digest import digest_of
from rbcalc_kernels.program.figures import figures_of
from rbcalc_kernels.program.graph import Cells, Parameter, Program, Source, Table, Value
from rbcalc_kernels.program.names import YEAR_PARAMETERS
from rbcalc_kernels.source import suggest

if TYPE_CHECKING:
    from rbcalc_kernels.program.library import RuleSource

_DIAL: Final = re.compile(r"([a-z_][a-z0-9_]*)(?:\[([^\]]*)\])?")
_NUMBER: Final = re.compile(r"(-?)(£?)(\d+(?:\.\d+)?)(%?)(/(?:day|week|month|year))?(?:\s*/\s*([1-9]\d*))?")


@dataclass(frozen=True, slots=True, order=True)
class Dial:
    """A figure that can be turned: a parameter, or one cell of a table, by its list members and then its edge as written."""

    name: str
    keys: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.name}[{', '.join(self.keys)}]" if self.keys else self.name


def dial_of(text: str) -> Dial:
    """A dial as people write it: name, or name[member, £116.21].  Raises UsageError."""
    match = _DIAL.fullmatch(text.strip())
    if match is None:
        raise UsageError(
            "RC061", f"no figure can be meant by '{text}'", hint="as capital_limit, or support[single, £0] for one cell of a table"
        )
    return Dial(match[1], tuple(key.strip() for key in match[2].split(",")) if match[2] else ())


def setting_of(text: str) -> tuple[Dial, str]:
    """A dial and what it is set to, as name=value.  Raises UsageError."""
    name, equals, value = text.partition("=")
    if not equals or not value.strip():
        raise UsageError("RC061", f"no value in '{text}'", hint="write name=value, as capital_limit=£10000")
    return dial_of(name), value.strip()


def literal(value: Value, type_: Type) -> str:
    """A figure as a rule file writes it."""
    if isinstance(type_, Choice):
        return str(value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(type_, Date):
        return iso(int(value))
    assert isinstance(type_, Number)
    number = Fraction(value) * (100 if type_.unit == "rate" else 1)
    shown, parts = _decimal(abs(number)), ""
    if shown is None or (type_ == DAYS and "." in shown):  # decimals without end, or of days, which a rule file does not write
        shown, parts = str(abs(number.numerator)), f" / {number.denominator}"
    sign = "-" if number < 0 else ""
    if type_.is_money:
        return f"{sign}£{shown}{type_.unit[1:]}{parts}"
    return f"{sign}{shown}{_AFTER.get(type_.unit, '')}{parts}"


_AFTER: Final = {"rate": "%", "days": " days"}


def _decimal(number: Fraction) -> str | None:
    """A number that is not below nothing, without rounding; None when its decimals have no end."""
    for places in range(13):
        scaled = number * 10**places
        if scaled.denominator == 1:
            whole = str(int(scaled)).rjust(places + 1, "0")
            return f"{whole[:-places]}.{whole[-places:]}" if places else whole
    return None


def type_of(program: Program, dial: Dial) -> Type:
    """What a dial's figure is.  Raises UsageError where the program has no such figure, or it is worked out from others."""
    if dial.name in YEAR_PARAMETERS:
        raise UsageError("RC061", f"{dial.name} belongs to the calendar", hint="choose another year with --year")
    table = None if dial.name.endswith("__known") else program.tables.get(dial.name)  # which cells there are is no figure
    if dial.name in program.parameters and not dial.keys:
        return program.parameters[dial.name].type
    if table is not None and table.rests_on:
        hint = f"turn what it rests on: {', '.join(sorted(table.rests_on - set(YEAR_PARAMETERS))[:12])}"
        raise UsageError("RC061", f"{dial.name} is worked out from other figures", hint=hint)
    if table is not None and dial.keys:
        for cells in table.by_period:
            _cell(table, dial, cells)
        return table.type
    known = [name for name in (*program.parameters, *program.tables) if not name.endswith("__known") and name not in YEAR_PARAMETERS]
    if dial.name in known:
        hint = "it is one figure: leave the brackets out"
        if table is not None:
            edges = [table.bands.type] if table.bands is not None else []
            hint = f"it is a table: name one cell, by {', '.join([axis.name for axis in table.axes] + [f'the edge in {e}' for e in edges])}"
        raise UsageError("RC061", f"{dial} is no single figure", hint=hint)
    whose = f"the rules of {program.name}" if program.name else "the rules"
    raise UsageError("RC061", f"{whose} read no figure called {dial.name}{suggest(dial.name, known)}", hint="rbcalc show rates lists them")


def value_of(program: Program, dial: Dial) -> Value:
    """A dial's figure at the beginning of the year."""
    type_of(program, dial)
    if not dial.keys:
        return program.parameters[dial.name].by_period[0]
    table = program.tables[dial.name]
    keys, place = _cell(table, dial, table.by_period[0])
    return table.by_period[0].rows[keys][1][place]


def _called(type_: Type) -> str:
    """What a value of a type is called: an amount in £/week, a rate."""
    return f"amount in {type_}" if isinstance(type_, Number) and type_.is_money else str(type_)


def number_of(text: str, type_: Type) -> Fraction:
    """A number as a rule file writes it, for the ends and steps of a sweep.  Raises UsageError."""
    plain = re.sub(r"\s*days?\b", "", text) if type_ == DAYS else text
    match = _NUMBER.fullmatch(plain.strip())
    if match is None or not isinstance(type_, Number):
        hint = "write it as in a rule file, without commas and spaces: £10000, 2.5%, 26"
        raise UsageError("RC061", f"'{text}' is no {_called(type_)}", hint=hint)
    sign, pound, digits, per_cent, unit, parts = match.groups()
    if bool(per_cent) != (type_.unit == "rate"):
        raise UsageError("RC061", f"'{text}' is no {_called(type_)}", hint="a rate is written as 20%, anything else without %")
    if type_.is_money and not pound:
        hint = f"money is written with its sign: {sign}£{digits}{unit or ''}{f' / {parts}' if parts else ''}"
        raise UsageError("RC061", f"'{text}' is no {_called(type_)}", hint=hint)
    if (pound and not type_.is_money) or (unit and unit != type_.unit[1:]):
        raise UsageError("RC061", f"'{text}' is no {_called(type_)}", hint=f"the figure is in {type_}")
    number = Fraction(digits) * (-1 if sign else 1) / int(parts or 1)
    return number / 100 if per_cent else number


def read(text: str, type_: Type) -> Value:
    """A figure of any type as a rule file writes it.  Raises UsageError."""
    text = text.strip()
    if isinstance(type_, Number):
        return number_of(text, type_)
    if isinstance(type_, Choice):
        if text not in type_.members:
            raise UsageError("RC061", f"'{text}' is not one of {type_.name}", hint=f"one of {', '.join(type_.members)}")
        return text
    if isinstance(type_, Date):
        try:
            return date.fromisoformat(text).toordinal() - EPOCH
        except ValueError:
            raise UsageError("RC061", f"'{text}' is no day", hint="write it as 2027-04-01") from None
    if text not in ("yes", "no"):
        raise UsageError("RC061", f"'{text}' is neither yes nor no", hint="write yes or no")
    return text == "yes"


def turned(program: Program, settings: Mapping[Dial, Value]) -> Program | None:
    """The program with some figures set for the whole year; None where more than these figures would change.

    That is so where a table is worked out from one of them, or the days of periods rest on it: then it must be linked anew.
    """
    names = {dial.name for dial in settings}
    cutting = figures_of(node for _, node in program.cuts)
    if any(not names.isdisjoint(each) for each in (cutting, *(table.rests_on for table in program.tables.values()))):
        return None
    parameters, tables = dict(program.parameters), dict(program.tables)
    for dial, value in settings.items():
        if dial.keys:
            tables[dial.name] = _table_with(tables[dial.name], dial, value)
        else:
            parameters[dial.name] = _parameter_with(parameters[dial.name], value, program)
    return replace(program, parameters=parameters, tables=tables)


def reaching(program: Program, values: Mapping[Dial, Sequence[Value]]) -> Program:
    """The program whose kernels also serve the values that dials are to take, however large or fine they are."""
    parameters, tables = dict(program.parameters), dict(program.tables)
    for dial, wanted in values.items():
        if dial.name in parameters and not dial.keys:
            parameters[dial.name] = replace(parameters[dial.name], also=(*parameters[dial.name].also, *wanted))
        elif dial.name in tables and dial.keys:
            tables[dial.name] = replace(tables[dial.name], also=(*tables[dial.name].also, *wanted))
    return replace(program, parameters=parameters, tables=tables)


def supposed(program: Program, settings: Mapping[Dial, Value], sources: Sequence[RuleSource]) -> Program | None:
    """The program with some figures set by scenarios that say nothing else, as linking it with them would give it.

    None where more than the figures would change: where others are worked out from them or days cut by them, they change within the
    year, are finer than they were held, or are told to be provisional or carried.
    """
    said = {*program.provisional, *(name for name, _ in program.supposed)}
    wanted: dict[str, list[Value]] = {}
    for dial, value in settings.items():
        wanted.setdefault(dial.name, []).append(value)
    for name, values in wanted.items():
        figure = program.tables.get(name) or program.parameters[name]
        same = all(each == figure.by_period[0] for each in figure.by_period)
        whole = not isinstance(figure.type, Number) or all((Fraction(value) / figure.step).denominator == 1 for value in values)
        if name in said or not same or not whole:
            return None
    made = turned(program, settings)
    if made is None:
        return None
    source = Source("supposed")
    parameters, tables = dict(made.parameters), dict(made.tables)
    for name in wanted:
        if name in tables:
            tables[name] = replace(tables[name], source=source)
        else:
            *before, now = parameters[name].history
            parameters[name] = replace(parameters[name], history=(*before, replace(now, source=source)))
    texts = {**program.sources, **{each.file: each.text for each in sources}}
    digest = digest_of(texts, program.first_day, program.last_day)
    return replace(made, parameters=parameters, tables=tables, sources=texts, digest=digest, hypothetical=True)


def _parameter_with(parameter: Parameter, value: Value, program: Program) -> Parameter:
    before = [dated for dated in parameter.history if dated.first_day < program.first_day]
    now = replace(parameter.history[-1], first_day=program.first_day, value=value)
    return replace(parameter, by_period=(value,) * len(parameter.by_period), history=(*before, now))


def _table_with(table: Table, dial: Dial, value: Value) -> Table:
    by_period = []
    for cells in table.by_period:
        keys, place = _cell(table, dial, cells)
        edges, values = cells.rows[keys]
        by_period.append(Cells({**cells.rows, keys: (edges, (*values[:place], value, *values[place + 1 :]))}))
    return replace(table, by_period=tuple(by_period))


def _cell(table: Table, dial: Dial, cells: Cells) -> tuple[tuple[str, ...], int]:
    """The keys of a cell, and its place among the values of its row."""
    axes, bands = len(table.axes), table.bands
    if len(dial.keys) != axes + (bands is not None):
        wanted = [axis.name for axis in table.axes] + ([f"edge in {bands.type}"] if bands is not None else [])
        raise UsageError("RC061", f"{dial} is no cell of the table", hint=f"{dial.name}[{', '.join(wanted)}]")
    for axis, key in zip(table.axes, dial.keys, strict=False):
        if key not in axis.members:
            raise UsageError("RC061", f"{dial}: {key} is not one of {axis.name}", hint=f"one of {', '.join(axis.members[:12])}")
    keys = dial.keys[:axes]
    if keys not in cells.rows:
        raise UsageError("RC061", f"{dial}: the table has no row for {', '.join(keys)}")
    if bands is None:
        return keys, 0
    edges = cells.rows[keys][0]
    if dial.keys[-1] == "above" and bands.upper:
        return keys, len(edges)
    edge = read(dial.keys[-1], bands.type)
    if edge not in edges:
        known = ", ".join(literal(each, bands.type) for each in edges)
        raise UsageError("RC061", f"{dial}: the table has no edge at {dial.keys[-1]}", hint=f"edges there are: {known}")
    return keys, edges.index(edge)


def sources_of(programs: Mapping[str, Program], settings: Mapping[Dial, Value], year: FinancialYear, title: str) -> list[RuleSource]:
    """Scenarios that set some figures for a year, as documents made in memory.

    `programs` are the rules of each council by name.  A council whose rules read none of the figures is left alone; one whose rows of a
    table differ from the others' has a document of its own.  Raises UsageError where nobody reads a figure.
    """
    own: dict[str, dict[Dial, Value]] = {council: {} for council in programs}
    for dial, value in settings.items():
        for council in readers(programs, dial):
            own[council][dial] = value
    texts: dict[str, list[str]] = {}
    for council, wanted in own.items():
        if wanted:
            texts.setdefault("\n".join(_set(programs[council], wanted)), []).append(council)
    made = []
    for text, councils in texts.items():
        lines = ["kind: scenario", f"title: {json.dumps(title, ensure_ascii=False)}", f"from: {iso(year.first_day)}"]
        lines += [] if len(councils) == len(programs) else [f"only_for: [{', '.join(councils)}]"]
        name = title if len(texts) == 1 else f"{title} ({', '.join(councils)})"
        made.append(document_of("\n".join([*lines, "source: {document: supposed}", "set:", text, ""]), name))
    return made


def readers(programs: Mapping[str, Program], dial: Dial) -> list[str]:
    """The councils whose rules read a figure.  Raises UsageError where none does."""
    found, missing = [], []
    for council, program in programs.items():
        try:
            type_of(program, dial)
        except UsageError as error:
            missing.append(error)
        else:
            found.append(council)
    if not found:
        raise next((error for error in missing if "read no figure" not in error.message), missing[0])
    return found


def _set(program: Program, settings: Mapping[Dial, Value]) -> Iterator[str]:
    """The lines that set some figures."""
    tables: dict[str, Table] = {}
    for dial, value in settings.items():
        if not dial.keys:
            yield f'  {dial.name}: {{value: "{literal(value, type_of(program, dial))}"}}'
        else:
            tables[dial.name] = _table_with(tables.get(dial.name, program.tables[dial.name]), dial, value)
    for name, table in tables.items():
        first = {dial.keys[0] for dial in settings if dial.name == name}
        dated: list[tuple[int, str]] = []
        for period, cells in zip(program.periods, table.by_period, strict=False):
            members = [f"{each}: {_rows(table, cells, (each,))}" for each in table.axes[0].members if each in first] if table.axes else []
            rows = f"{{{', '.join(members)}}}" if table.axes else _row(table, cells, ())
            if not dated or dated[-1][1] != rows:
                dated.append((period.first_day, rows))
        yield f"  {name}:"
        if len(dated) == 1:
            yield f"    rows: {dated[0][1]}"
        else:
            yield "    values:"
            yield from (f"      - {{from: {iso(day)}, rows: {rows}}}" for day, rows in dated)


def _rows(table: Table, cells: Cells, keys: tuple[str, ...]) -> str:
    """The rows under some list members, in one line."""
    if len(keys) == len(table.axes):
        return _row(table, cells, keys)
    inner = [
        f"{member}: {_rows(table, cells, (*keys, member))}"
        for member in table.axes[len(keys)].members
        if any(found[: len(keys) + 1] == (*keys, member) for found in cells.rows)
    ]
    return f"{{{', '.join(inner)}}}"


def _row(table: Table, cells: Cells, keys: tuple[str, ...]) -> str:
    edges, values = cells.rows[keys]
    if table.bands is None:
        return f'"{literal(values[0], table.type)}"'
    written = [literal(edge, table.bands.type) for edge in edges] + (["above"] if table.bands.upper else [])
    return "{" + ", ".join(f'"{edge}": "{literal(value, table.type)}"' for edge, value in zip(written, values, strict=True)) + "}"


def document_of(text: str, name: str) -> RuleSource:
    """A rule document made in memory.  Raises RulesError."""
    from rbcalc_kernels.language.shaping import document
    from rbcalc_kernels.program.library import RuleSource
    from rbcalc_kernels.source import Findings
    from rbcalc_kernels.source import read as read_nodes

    findings = Findings()
    content = document(read_nodes(text, name), findings)
    findings.raise_if_errors({name: text})
    assert content is not None
    return RuleSource(name, text, content)


def steps(text: str, type_: Type) -> list[Value]:
    """The values of a sweep, from:to:step, or values set apart by commas.  Raises UsageError."""
    if ":" not in text:
        return [read(part, type_) for part in text.split(",")]
    parts = text.split(":")
    if len(parts) != 3:
        raise UsageError("RC061", f"'{text}' is no range", hint="write from:to:step, as 10%:30%:1%")
    first, last, step = (number_of(part, type_) for part in parts)
    if step <= 0 or last < first:
        raise UsageError("RC061", f"'{text}' has no values", hint="from is not above to, and the step is above nothing")
    if (last - first) / step > MOST_STEPS:
        raise UsageError("RC061", f"'{text}' has more than {MOST_STEPS:,} values", hint="make the step larger")
    count = int((last - first) / step) + 1
    values: Sequence[Value] = [first + step * place for place in range(count)]
    return list(values)


MOST_STEPS: Final = 100_000
