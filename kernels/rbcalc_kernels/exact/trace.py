"""What the exact evaluator did for each rule and row, kept for explaining a figure.

Nothing here formats amounts or writes sentences: a `Step` holds values, and whoever shows it chooses the words.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from rbcalc_kernels.exact.rows import Row
from rbcalc_kernels.program.graph import Case, Dated, Parameter, Program, Ref, Rule, Source, Table, Value


@dataclass(frozen=True, slots=True)
class Read:
    """A value that a rule read.

    `name` is a `Ref` for a value of a row (which `row` then is), or the name of a parameter or a table.  `keys` are those
    a table was read with; `dated` is the figure of a parameter with its day and source; `known` marks a read that asked
    only whether an optional fact was given.
    """

    name: Ref | str
    value: Value
    row: Row | None = None
    keys: tuple[Value, ...] = ()
    dated: Dated | None = None
    known: bool = False


@dataclass(frozen=True, slots=True)
class Entry:
    """One rule worked out for one row.

    `case` is the place of the line that applied in a first-that-applies rule; `before` is the value before rounding.
    """

    rule: Rule
    row: Row
    value: Value
    case: int | None
    before: Value
    reads: tuple[Read, ...]


@dataclass(frozen=True, slots=True)
class Step:
    """A figure and the figures it was made of.

    A fact has neither rule nor steps; a parameter has `dated`; a table has `keys`.  A step that several others rest on
    is one object, so a tree with much in common stays small.
    """

    name: Ref | str
    title: str
    value: Value
    row: Row | None = None
    rule: Rule | None = None
    case: Case | None = None
    before: Value | None = None
    source: Source | None = None
    keys: tuple[Value, ...] = ()
    dated: Dated | None = None
    known: bool = False
    steps: tuple[Step, ...] = ()

    def __str__(self) -> str:
        return f"{self.name} = {self.value}"


_Key = tuple[Ref, int]


@dataclass(slots=True)
class Trace:
    """Collects an `Entry` for each rule and row while the evaluator runs."""

    program: Program | None = None
    entries: dict[_Key, Entry] = field(default_factory=dict)

    def start(self, program: Program) -> None:
        """Forget what was collected and take the names and titles from `program`."""
        self.program = program
        self.entries.clear()

    def add(self, entry: Entry) -> None:
        """Keep one rule's working."""
        self.entries[Ref(entry.rule.entity, entry.rule.name), id(entry.row)] = entry

    def entry(self, ref: Ref, row: Row) -> Entry | None:
        """The working of a rule for a row; None for a fact, or a rule that was not needed."""
        return self.entries.get((ref, id(row)))

    def working(self, ref: Ref, row: Row) -> Step:
        """The tree of steps behind a value.  Raises KeyError when the rule was not worked out for the row."""
        if self.program is None:
            raise KeyError(str(ref))
        top = self.entries[ref, id(row)]
        done: dict[_Key, Step] = {}
        work = [top]
        while work:
            entry = work[-1]
            waiting = [
                found
                for read in entry.reads
                if isinstance(read.name, Ref) and read.row is not None and not read.known
                if (found := self.entry(read.name, read.row)) is not None and _key(found) not in done
            ]
            if waiting:
                work.extend(waiting)
                continue
            work.pop()
            done[_key(entry)] = self._step(self.program, entry, done)
        return done[_key(top)]

    def _step(self, program: Program, entry: Entry, done: dict[_Key, Step]) -> Step:
        rule = entry.rule
        case = rule.cases[entry.case] if entry.case is not None else None
        steps: dict[object, Step] = {}
        for read in entry.reads:
            place = (read.name, id(read.row), read.keys, read.dated, read.known)
            if place not in steps:
                steps[place] = _read(program, read, done)
        return Step(
            name=Ref(rule.entity, rule.name),
            title=rule.title,
            value=entry.value,
            row=entry.row,
            rule=rule,
            case=case,
            before=entry.before,
            source=(case.source if case is not None else None) or rule.source,
            steps=tuple(steps.values()),
        )


def _key(entry: Entry) -> _Key:
    return Ref(entry.rule.entity, entry.rule.name), id(entry.row)


def _read(program: Program, read: Read, done: dict[_Key, Step]) -> Step:
    """The step of one value read: a rule's own tree, a fact, a parameter or a table."""
    if isinstance(read.name, Ref):
        if not read.known and (step := done.get((read.name, id(read.row)))) is not None:
            return step
        found = program.inputs.get(read.name)
        title = found.title if found is not None else ""
        return Step(read.name, title, read.value, row=read.row, known=read.known)
    if read.dated is not None:
        parameter: Parameter = program.parameters[read.name]
        return Step(read.name, parameter.title, read.value, source=read.dated.source, dated=read.dated)
    table: Table = program.tables[read.name]
    return Step(read.name, table.title, read.value, source=table.source, keys=read.keys)
