"""Statements: what a council makes of the totals of a run, worked out by rules of their own.

A claim for subsidy turns on the total of a council's errors and not on any one account, so its rules stand in a program
whose root is the council and whose facts are sums of the run's reports.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from rbcalc._show import amount, plain
from rbcalc._years import FinancialYear
from rbcalc.running.totals import Table
from rbcalc_kernels.exact.evaluator import Evaluator
from rbcalc_kernels.exact.spells import build
from rbcalc_kernels.exact.trace import Entry, Trace
from rbcalc_kernels.language.types import Type
from rbcalc_kernels.program.graph import Counted, Program, Ref, Statement, Value

if TYPE_CHECKING:
    from rbcalc.explaining.words import Words
    from rbcalc.rulebook.rules import Rules
    from rbcalc.running.run import Summary


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a statement: a value that people ask for, and why it is what it is where a rule says so."""

    name: str
    title: str
    type: Type
    value: Value | None
    because: str = ""


@dataclass(frozen=True, slots=True)
class Stated:
    """A council's statement of a year: the facts that are sums of the run's totals, and the lines made of them."""

    council: str
    name: str
    title: str
    facts: tuple[Line, ...]
    lines: tuple[Line, ...]

    def value(self, name: str) -> Value | None:
        """A line's value by name."""
        return next(line.value for line in (*self.lines, *self.facts) if line.name == name)


def stated(summary: Summary, rules: Rules) -> dict[str, tuple[Stated, ...]]:
    """The statements of each council of a run."""
    return {
        council: tuple(_made(rules, council, summary.year, each, summary.totals[council]) for each in program.statements)
        for council, program in summary.programs.items()
        if program.statements
    }


def counted(figure: Counted, table: Table) -> Fraction:
    """The sum of those lines of a report that a fact counts."""
    chosen = (figures for keys, figures in table.items() if all(keys[place] in members for place, members in figure.where))
    return sum((figures[figure.place] for figures in chosen), Fraction(0))


@lru_cache(maxsize=64)
def program_of(rules: Rules, name: str, year: FinancialYear) -> Program:
    """The program of a statement's rules for a year.  Raises RulesError."""
    from rbcalc_kernels.program.linking import link

    return link(rules.library, rules.library.named(name), year.first_day, year.last_day, name=name).program


def _made(rules: Rules, council: str, year: FinancialYear, statement: Statement, tables: Mapping[str, Table]) -> Stated:
    from rbcalc.explaining.words import Words

    program = program_of(rules, statement.rules, year)
    root = program.root
    register = next(each for each in program.registers.values() if each.entity == root)
    sums = {figure.fact: counted(figure, tables.get(figure.report, {})) for figure in statement.figures}
    record: dict[str, Any] = {register.key: council, **sums}
    if register.dated:
        record |= {"from": year.first_day, "to": year.last_day}
    row, evaluator, trace = build(program, {register.name: [record]}), Evaluator(program), Trace(program)
    evaluator.run(row, trace)
    words = Words(program, evaluator, brief=True, pennies=True)
    because = {entry.rule.name: _because(entry, words) for entry in trace.entries.values()}
    facts = (program.inputs[Ref(root, name)] for name in sums)
    return Stated(
        council,
        statement.name,
        statement.title,
        tuple(Line(fact.name, fact.title or fact.name, fact.type, sums[fact.name]) for fact in facts),
        tuple(
            Line(rule.name, rule.title, rule.type, row.values[rule.name], because.get(rule.name, ""))
            for rule in program.rules
            if Ref(rule.entity, rule.name) in program.outputs and rule.entity == root
        ),
    )


def _because(entry: Entry, words: Words) -> str:
    """Why, by the line that applied."""
    return words.because(entry.rule.cases[entry.case].because, entry.row) if entry.case is not None else ""


def arrow(found: Sequence[Stated]) -> Any:
    """A council's statements as an Arrow table: each fact and line, its value as people and as programs write it, and why."""
    import pyarrow as pa

    rows = [
        {
            "statement": each.name,
            "kind": kind,
            "line": line.name,
            "title": line.title,
            "value": plain(line.value) if isinstance(line.value, Fraction) else amount(line.value, line.type),
            "shown": amount(line.value, line.type),
            "because": line.because,
        }
        for each in found
        for kind, lines in (("fact", each.facts), ("line", each.lines))
        for line in lines
    ]
    return pa.Table.from_pylist(rows, pa.schema([(name, pa.string()) for name in rows[0]] if rows else []))
