"""What cliffs are looked for in: the measure that the rules declare, and households, typical ones or an officer's own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import floor
from pathlib import Path
from typing import Any, Final

from rbcalc.errors import UsageError
from rbcalc.rulebook.records import RecordReader, Records
from rbcalc.rulebook.rules import Rules
from rbcalc_kernels.exact.walking import Moved
from rbcalc_kernels.language.documents import CasesFile, ProfileFile, Text
from rbcalc_kernels.language.types import Choice, Number
from rbcalc_kernels.program.graph import Input, Program, Ref
from rbcalc_kernels.source import Findings, suggest

FILE: Final = "england/cliffs/households.yaml"


@dataclass(frozen=True, slots=True)
class Measure:
    """What a household has and what it pays, and which amount moves; names of the rules, as their file declares them."""

    rules: Path  # the rule file that is laid over a council's rules
    income: str
    cost: str
    counted: Ref  # which rows of a caseload are counted near an edge
    varied: Amount
    near: Fraction  # how far below an edge rows are counted
    given: Mapping[Text, Any]
    households: Sequence[Mapping[Any, Any]]
    churn: Mapping[Any, Any]


@dataclass(frozen=True, slots=True)
class Amount:
    """The amount that moves, and how far."""

    register: str
    column: str
    last: Fraction

    def __str__(self) -> str:
        """As --vary takes it."""
        return f"{self.register}.{self.column}"


@dataclass(frozen=True, slots=True)
class Household:
    """A household: its name and its facts; with an amount of its own, and what moves with it."""

    name: str
    records: Records
    varied: Amount | None = None
    moves: tuple[Moved, ...] = ()


def measure_of(rules: Rules) -> Measure:
    """The measure that the rules declare.  Raises UsageError when they declare none."""
    path = rules.root / FILE
    document = rules.document_at(path) if path.is_file() else None
    if not isinstance(document, ProfileFile):
        raise UsageError("RC070", f"the rules have no {FILE}", hint="it says what a household has and pays, and which amount moves")
    content = document.model_dump()
    varied, figures, counted = content["varied"], content["figures"], content["counted"]
    return Measure(
        path.with_name(str(content["rules"])),
        str(figures["income"]),
        str(figures["cost"]),
        Ref(str(counted["entity"]), str(counted["value"])),
        _amount(varied),
        pounds(content["near"]),
        content["given"],
        content["households"],
        content["churn"],
    )


def pounds(text: Any) -> Fraction:
    """An amount as written: £5 or 5.  Raises UsageError."""
    try:
        return Fraction(str(text).strip().removeprefix("£").replace(",", ""))
    except ValueError as error:
        raise UsageError("RC070", f"no amount: {text}", hint="write pounds and pence, as £5 or 12.50") from error


def households_of(
    rules: Rules, measure: Measure, program: Program, path: Path | None = None, names: Sequence[str] = ()
) -> tuple[list[Household], list[str]]:
    """The households of a file of cases, or the typical ones, and what was assumed of them.

    Raises UsageError when there is none of a name, RulesError when a file is wrong.
    """
    findings = Findings()
    given, cases = measure.given, measure.households
    if path is not None:
        if not path.is_file():
            raise UsageError("RC044", f"no such file: {path}", hint="give the path of a file of cases")
        document = rules.document_at(path)
        if not isinstance(document, CasesFile):
            raise UsageError("RC070", f"{path.name} is not a file of cases", hint="kind: cases, with given: and cases:")
        given = document.given
        cases = [{"name": case.name, "given": case.given} for case in document.cases]
    reader = RecordReader(program, findings)
    known = [str(case["name"]) for case in cases]
    for name in names:
        if name not in known:
            raise UsageError("RC070", f"no household is called {name}{suggest(name, known)}", hint=f"one of: {'; '.join(known[:20])}")
    made: list[Household] = []
    assumed: dict[str, None] = {}
    for case in cases:
        if not names or str(case["name"]) in names:
            records = reader.records(reader.merged(given, case.get("given", {})))
            assumed |= _filled(reader, records)
            varied = _amount(case["varied"]) if "varied" in case else None
            moves = tuple(_moved(each, records) for each in case.get("moves", ()))
            made.append(Household(str(case["name"]), records, varied, moves))
    findings.raise_if_errors(rules.library.texts(findings))
    return made, list(assumed)


def _amount(content: Mapping[Any, Any]) -> Amount:
    return Amount(str(content["register"]), str(content["column"]), pounds(content["to"]))


def _moved(content: Mapping[Any, Any], records: Records) -> Moved:
    """A fact that falls or rises by a share of the amount, to the penny and no lower than the least."""
    register, column = str(content["register"]), str(content["column"])
    base, least = records[register][0][column], pounds(content["least"])
    by = Fraction(str(content["by"]).removesuffix("%")) / 100
    assert isinstance(base, Fraction)
    start = base

    def value(amount: Fraction) -> Fraction:
        return floor(max(start + amount * by, least) * 100 + Fraction(1, 2)) * Fraction(1, 100)

    return Moved(register, 0, column, value)


def _filled(reader: RecordReader, records: Records) -> dict[str, None]:
    """Put the first member of a list where a fact must be given and no household says it, and tell of it."""
    assumed: dict[str, None] = {}
    for register, rows in records.items():
        for column, found in reader.inputs[register].items():
            if isinstance(found.type, Choice) and not found.optional:
                for row in rows:
                    if row.get(column) is None:
                        row[column] = found.type.members[0]
                        assumed[f"{found.title}: {found.type.members[0].replace('_', ' ')}, the first of the list"] = None
    return assumed


def fact_of(program: Program, register: str, column: str) -> Input:
    """The fact that moves.  Raises UsageError when it is no amount of a register."""
    facts = {f"{each.table}.{each.column}": each for each in program.inputs.values() if not each.built_in}
    found = facts.get(f"{register}.{column}")
    amounts = sorted(name for name, each in facts.items() if isinstance(each.type, Number) and each.type.is_money)
    if found is None or f"{register}.{column}" not in amounts:
        name = f"{register}.{column}" if column else register
        what = "is no amount of money" if found is not None else "is no fact of a caseload"
        raise UsageError("RC070", f"{name} {what}{suggest(name, amounts)}", hint=f"one of {', '.join(amounts[:20])}")
    return found
