"""Worked examples: case files read, worked out by both evaluators, and compared with what they expect."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rbcalc._show import amount
from rbcalc._years import FinancialYear
from rbcalc.rulebook.records import RecordReader, Records, value_of
from rbcalc.rulebook.rules import Rules
from rbcalc_kernels.exact.evaluator import Evaluator
from rbcalc_kernels.exact.faults import CalculationFault
from rbcalc_kernels.exact.rows import Row
from rbcalc_kernels.exact.spells import Builder, build
from rbcalc_kernels.language.documents import CasesFile, ExampleDoc, RuleFile, SourceDoc, Text
from rbcalc_kernels.language.types import Type
from rbcalc_kernels.program.graph import Program, Ref, Value
from rbcalc_kernels.program.library import RuleSource
from rbcalc_kernels.program.linking import link
from rbcalc_kernels.source import Findings, Span, suggest


@dataclass(slots=True)
class Example:
    """One case with its program and its facts, ready to be worked out."""

    name: str
    doc: ExampleDoc
    program: Program
    records: Records
    expect: dict[Text, Any]

    @property
    def place(self) -> Span:
        """Where the case stands."""
        return self.doc.name.span


@dataclass(slots=True)
class Outcome:
    """What came of a case; `problems` is empty when it agrees."""

    example: Example
    problems: list[str] = field(default_factory=list)


def case_files(paths: Iterable[Path]) -> Iterator[Path]:
    """The case files among the paths and below their folders."""
    for path in paths:
        if path.is_dir():
            yield from sorted(found for found in path.rglob("*.yaml") if found.name == "cases.yaml" or found.name.endswith(".cases.yaml"))
        else:
            yield path


class CaseReader:
    """Reads case files; programs that several cases share are linked once."""

    def __init__(self, rules: Rules) -> None:
        """Read cases for `rules`."""
        self.rules = rules
        self._programs: dict[object, Program] = {}

    def read(self, path: Path) -> list[Example]:
        """The cases of a file.  Raises RulesError when the file is wrong."""
        findings = Findings()
        source = self.rules.library.open(path, findings)
        findings.raise_if_errors(self.rules.library.texts(findings))
        assert source is not None
        file = source.content
        if not isinstance(file, CasesFile):
            findings.error("RB034", "not a file of cases", Span(source.file, 1, 1, 1, 1), help="kind: cases")
            findings.raise_if_errors({source.file: source.text})
            raise AssertionError  # noqa: TRY004 - the line above has raised
        examples = []
        for case in file.cases:
            program = self._program(source, file, case)
            reader = RecordReader(program, findings)
            examples.append(Example(str(case.name), case, program, reader.records(reader.merged(file.given, case.given)), case.expect))
        findings.raise_if_errors(self.rules.library.texts(findings))
        return examples

    def _program(self, source: RuleSource, file: CasesFile, case: ExampleDoc) -> Program:
        year = FinancialYear.of(str(case.year or file.year))
        council = str(case.council or file.council or "")
        said = [repr(part) for part in (file.extends, file.lists, file.set, case.set, file.subject)]
        key = (*said, council, year)  # what several files say alike is linked once
        if key not in self._programs:
            self._programs[key] = self._link(source, file, case, council, year)
        return self._programs[key]

    def _link(self, source: RuleSource, file: CasesFile, case: ExampleDoc, council: str, year: FinancialYear) -> Program:
        if council and not file.set and not case.set and not file.lists:
            return self.rules.council(council).of(str(file.subject or "")).program(year)
        begins = Text(f"{year.begins - 100}-04-01")
        begins.scalar = file.year.scalar
        note = Text("worked example")
        note.scalar = file.year.scalar
        made = RuleFile.model_construct(
            kind="scenario" if council else "council",
            title=file.title,
            extends=file.extends,
            from_=begins,
            adopted=note,
            source=SourceDoc.model_construct(note=note),
            lists=file.lists,
            set={**file.set, **case.set},
        )
        more = [RuleSource(source.file, source.text, made)]
        paths = self.rules.council(council).of(str(file.subject or "")).files() if council else []
        return link(self.rules.library, paths, year.first_day, year.last_day, name=council, more=more).program


def work_out(example: Example) -> Row:
    """The rows of a case, worked out exactly.  Raises CalculationFault."""
    root = build(example.program, example.records)
    Evaluator(example.program, None).run(root, None)
    return root


def run(examples: Sequence[Example], *, compiled: bool = True) -> list[Outcome]:
    """Work out cases with the exact evaluator and, by program in one batch each, with the compiled one."""
    outcomes = [Outcome(example) for example in examples]
    roots: list[Row | None] = []
    ready: dict[int, tuple[Builder, Evaluator]] = {}
    for outcome in outcomes:
        findings, program = Findings(), outcome.example.program
        if id(program) not in ready:
            ready[id(program)] = Builder(program), Evaluator(program, None)
        builder, evaluator = ready[id(program)]
        try:
            root = builder.build(outcome.example.records)
            evaluator.run(root, None)
            roots.append(root)
            _compare(outcome, root, findings)
        except CalculationFault as fault:
            roots.append(None)
            _compare_fault(outcome, fault)
        outcome.problems += [f"{d.message}: {d.help}" for d in findings.errors]
    if compiled:
        from rbcalc.rulebook.both import differences

        by_program: dict[int, list[int]] = {}
        for place, outcome in enumerate(outcomes):
            by_program.setdefault(id(outcome.example.program), []).append(place)
        for places in by_program.values():
            program = outcomes[places[0]].example.program
            found = differences(program, [outcomes[p].example.records for p in places], [roots[p] for p in places])
            for place, problems in zip(places, found, strict=True):
                outcomes[place].problems += problems
    return outcomes


def _compare(outcome: Outcome, root: Row, findings: Findings) -> None:
    program = outcome.example.program
    top = root
    for name, wanted in outcome.example.expect.items():
        root = top
        if program.gathering == top.entity and not _is_of(program, top.entity, str(name)):
            if len(top.children[program.root]) > 1:
                outcome.problems.append(f"{name}: of several, which {program.root}? expect {program.entities[program.root].members}: [...]")
                continue
            root = top.children[program.root][0]  # a single one is told of without the row above
        if str(name) == "refused":
            outcome.problems.append("expected the account to be refused, but it was worked out")
            continue
        members = next((e for e in program.entities.values() if str(name) in (e.members, e.name) and e.parent == root.entity), None)
        if members is None:
            _compare_value(outcome, root, name, wanted, findings)
            continue
        rows = root.children.get(members.name, [])
        if not isinstance(wanted, list) or len(wanted) != len(rows):
            outcome.problems.append(f"{name}: expected {len(wanted) if isinstance(wanted, list) else wanted} rows, found {len(rows)}")
            continue
        for row, values in zip(rows, wanted, strict=True):
            for inner, value in values.items():
                _compare_value(outcome, row, inner, value, findings)


def _is_of(program: Program, entity: str, name: str) -> bool:
    """Whether a name is that of a value of an entity, or of rows right below it."""
    below = (name in (each.members, each.name) for each in program.entities.values() if each.parent == entity)
    return type_of(program, entity, name) is not None or any(below)


def _compare_value(outcome: Outcome, row: Row, name: Text, wanted: Any, findings: Findings) -> None:
    program = outcome.example.program
    type_ = type_of(program, row.entity, str(name))
    if type_ is None:
        known = [r.name for r in program.rules if r.entity == row.entity and not r.hidden] + [
            i.name for i in program.inputs.values() if i.entity == row.entity
        ]
        outcome.problems.append(f"{row.entity} has no value called {name}{suggest(str(name), known)}")
        return
    if not isinstance(wanted, Text):
        outcome.problems.append(f"{name}: one value is expected")
        return
    value = value_of(wanted, type_, findings)
    found = row.values.get(str(name))
    if value is not None and found != value:
        outcome.problems.append(f"{name}: expected {amount(value, type_)}, found {amount(found, type_)}")


def _compare_fault(outcome: Outcome, fault: CalculationFault) -> None:
    wanted: Mapping[Text, Any] = outcome.example.expect
    if any(str(name) == "refused" and str(value) in ("yes", str(fault.reason)) for name, value in wanted.items()):
        return
    outcome.problems.append(f"not worked out: {fault}")


def type_of(program: Program, entity: str, name: str) -> Type | None:
    """The type of a value of an entity; None when there is none of that name."""
    found = program.inputs.get(Ref(entity, name))
    if found is not None:
        return found.type
    return next((rule.type for rule in program.rules if rule.entity == entity and rule.name == name), None)


__all__ = ["CaseReader", "Example", "Outcome", "Value", "case_files", "run", "type_of", "work_out"]
