"""Tells of one account what was chosen of it: the lines with their working, and what came out."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any

from rbcalc._show import amount
from rbcalc._years import FinancialYear
from rbcalc.explaining.calling import Callings
from rbcalc.explaining.chosen import Chosen, Place
from rbcalc.explaining.joining import days_told, joined, joined_outcomes, key_of, spanned, strands, titled
from rbcalc.explaining.model import Explanation, Fact, Line, Outcome, Section
from rbcalc.explaining.why import Why, of_none
from rbcalc.explaining.words import Words, Written, conjuncts, exact, nothing, plain, refs_of, rounded, walk
from rbcalc_kernels.exact.evaluator import Evaluator
from rbcalc_kernels.exact.layout import layout_of
from rbcalc_kernels.exact.rows import Row
from rbcalc_kernels.exact.trace import Entry, Trace
from rbcalc_kernels.language.types import Number
from rbcalc_kernels.program.graph import Case, Node, Op, Program, Ref, Source

_ADOPTED = re.compile(r"^adopted:[ \t]*([^\s#{][^#\n]*?)[ \t]*$", re.MULTILINE)


class Teller:
    """Tells of one account what was chosen of it."""

    def __init__(
        self,
        program: Program,
        evaluator: Evaluator,
        trace: Trace,
        root: Row,
        *,
        everything: bool = False,
        aside: Collection[str] = (),
        pennies: bool = False,
    ) -> None:
        """Tell of `root`, which `evaluator` worked out; with `everything` also what came to nought and changes nothing.

        The rules of the files `aside` are not told of.  Where they have rules of derived entities, as a notice has, those are told alone,
        of their rows those for which all such yes/no rules say yes; what the other rules pass on is told with what decided it.
        """
        self.program, self.trace, self.root, self.everything = program, trace, root, everything
        self.layout = layout_of(program)
        self.words = Words(program, evaluator, brief=not everything, pennies=pennies)
        own = [rule for rule in program.rules if rule.span is not None and rule.span.file in aside]
        self.callings = Callings(program, trace, self.words, [rule for rule in own if rule.entity != root.entity])
        self.why = Why(program, trace, self.words, self.callings.titles)
        self.chosen = Chosen(program, trace, root, self.why, everything=everything, aside=aside, steps=self.callings.steps)
        self.paid: set[str] = set()
        self.of_days = self._made_of_days()

    def _made_of_days(self) -> set[Ref]:
        """The rules that rest on the number of days of a row."""
        found = {Ref(name, "days") for name in self.program.entities}
        for rule in self.program.rules:
            if not found.isdisjoint(refs_of(rule.body)):
                found.add(Ref(rule.entity, rule.name))
        return found

    def told(self, council: str, reference: str) -> Explanation:
        """The whole account."""
        year = FinancialYear.containing(self.program.last_day)
        values = tuple(self._values(row) for row in self.root.walk())
        provisional = tuple(self._provisional())
        adopted = tuple(dict.fromkeys(found for text in self.program.sources.values() for found in _ADOPTED.findall(text)))
        return Explanation(
            reference,
            council,
            str(year),
            self._section(self.root, 0),
            provisional,
            adopted,
            self.program.hypothetical,
            self.program.digest,
            values,
            self.program,
            self.root,
            self.trace,
            tuple(self._outcomes()),
        )

    # ----------------------------------------------------------------------------------------------------- sections
    def _section(self, row: Row, number: int) -> Section:
        title = titled(self.layout, row)
        span = spanned(row) if self.program.entities[row.entity].spell else None
        members: list[Section] = []
        for rows in row.children.values():
            for strand in strands(rows):
                found = [self._section(child, place) for place, child in enumerate(strand, 1)]
                members += found if self.everything else joined(found)
        kept = tuple(member for member in members if member.days or member.facts or member.lines or member.members)
        title = f"{title} {number}" if number else title
        return Section(row.entity, title, days_told(span), tuple(self._facts(row)), tuple(self._lines(row)), kept, span)

    def _facts(self, row: Row) -> Iterator[Fact]:
        for ref, found in self.program.inputs.items():
            if ref.entity == row.entity and not found.built_in and row.values.get(ref.name) is not None:
                yield Fact(ref.name, found.title or ref.name, amount(row.values[ref.name], found.type))

    def _lines(self, row: Row) -> list[Line]:
        """The lines of a row.  A line that only passes on what another line says takes that line's words."""
        lines: dict[str, Line] = {}
        for rule in self.program.rules:
            entry = self.chosen.relevant.get((Ref(rule.entity, rule.name), id(row)))
            if entry is None or rule.hidden or row.entity != rule.entity or rule.name in self.chosen.aside:
                continue
            written = self.words.written(self._stated(entry), row)
            line = self._line(entry, written)
            if rule.name not in self.chosen.results or row is not self.root or of_none(entry) and not self.everything:
                if self._left_out(entry, written):
                    continue
                target = written.leaf if not line.because else None
                if target is not None and target[1] is row and target[0].name in lines.keys() - self.chosen.summed - self.chosen.columns:
                    taken = lines.pop(target[0].name)
                    line = replace(taken, name=line.name, title=line.title, words=line.words, source=line.source, set_aside=())
            if row is self.root and line.working:  # a trial that became the result is told once
                lines = {
                    name: other
                    for name, other in lines.items()
                    if name in self.chosen.results or (other.working, other.words) != (line.working, line.words)
                }
            lines[rule.name] = line
        return list(lines.values())

    @staticmethod
    def _stated(entry: Entry) -> Node:
        """The expression that gave the value, without its rounding."""
        node = entry.rule.body if entry.case is None else entry.rule.cases[entry.case].give
        return node.args[0] if node.op is Op.ROUND and entry.rule.rounding is not None else node

    def _left_out(self, entry: Entry, written: Written) -> bool:
        """Whether a line is not told: nothing rests on it, and it is not among those that decided something."""
        place = Ref(entry.rule.entity, entry.rule.name), id(entry.row)
        if place in self.chosen.kept:
            return False
        if place in self.chosen.telling and entry.case is None and entry.rule.body.op is not Op.IF:
            return False
        idle = of_none(entry) or place not in self.chosen.telling and self._idle(entry, written)
        return self._trivial(entry, written) or (idle and not self.everything)

    def _trivial(self, entry: Entry, written: Written) -> bool:
        """Whether a line says nothing that a reader needs: nought, or a fact once more, and no reason for it."""
        if entry.case is not None:
            case = entry.rule.cases[entry.case]
            unasked = case.when is None or all(node.op in (Op.NOT, Op.KNOWN) for node in walk(case.when))
            return unasked and case.give.op is Op.CONST and nothing(entry.value) and not self._near(entry)
        if nothing(entry.value):
            return entry.row is self.root or entry.rule.body.op is Op.IF or entry.rule.name not in self.chosen.summed
        return written.leaf is not None and written.leaf[0] in self.program.inputs

    def _idle(self, entry: Entry, written: Written) -> bool:
        """Whether a line came to nought and nothing counts it, or says once more what another line says, without a reason."""
        name, own, summed = entry.rule.name, entry.row is not self.root, entry.rule.name in self.chosen.summed
        if nothing(entry.value):
            return own and not (summed and self.program.entities[entry.row.entity].spell)
        repeats = written.leaf is not None and entry.case is None and own and name not in self.chosen.derived
        return repeats and not summed and str(entry.rule.type) == "yes/no"

    def line(self, ref: Ref, row: Row) -> Line | None:
        """The line of a value, whatever it is; None for a fact, or a rule that was not needed."""
        entry = self.trace.entry(ref, row)
        return self._line(entry, self.words.written(self._stated(entry), row)) if entry is not None else None

    def _line(self, entry: Entry, written: Written) -> Line:
        rule = entry.rule
        case = rule.cases[entry.case] if entry.case is not None else None
        words = self.words.amount(entry.value, rule.type)
        before = amount(entry.before, rule.type)
        changed = rule.rounding is not None and before != amount(entry.value, rule.type)
        source = (case.source if case is not None else None) or rule.source
        return Line(
            rule.name,
            rule.title,
            words,
            written.text if written.worked else "",
            before if changed else "",
            rounded(rule.rounding) if changed and rule.rounding is not None else "",
            self.words.because(case.because, entry.row) if case is not None and case.because else "",
            source.text if source is not None else "",
            self._uncertain(entry, source),
            self._parts(entry),
            tuple(self._near(entry)),
            entry.value,
            rule.type,
            Ref(rule.entity, rule.name) in self.of_days and isinstance(rule.type, Number) and rule.type.unit in ("£", "days"),
        )

    def _uncertain(self, entry: Entry, source: Source | None) -> bool:
        if source is not None and source.status == "provisional":
            return True
        return any(read.dated is not None and read.dated.source.status == "provisional" for read in entry.reads)

    def _near(self, entry: Entry) -> list[str]:
        """The reasons of lines before the one that applied which came near: all but the last of their conditions hold."""
        found = []
        for case in entry.rule.cases[: entry.case or 0]:
            if case.when is None or not case.because or not self._came_near(case, entry.row):
                continue
            found.append(self.words.because(case.because, entry.row))
        return found

    def _came_near(self, case: Case, row: Row) -> bool:
        assert case.when is not None
        known = other = False
        for part in conjuncts(case.when):
            if not self.words.value(part, row):
                over = part.op is Op.NOT and part.args[0].op is Op.REACHED
                return known and part.op is not Op.KNOWN and (other or over)
            known |= part.op is Op.KNOWN
            other |= part.op is not Op.KNOWN
        return False

    def _parts(self, entry: Entry) -> tuple[tuple[str, str], ...]:
        """What a figure read from a table is made of, where another table divides it by one list more."""
        for read in entry.reads:
            if isinstance(read.name, Ref) or not read.keys or read.value != entry.value:
                continue
            table = self.program.tables[read.name]
            for other in self.program.tables.values():
                if other.type != table.type or other.bands is not None or other.axes[1:] != table.axes or len(other.axes) < 2:
                    continue
                cells = other.by_period[entry.row.period].rows
                keys = tuple(str(key) for key in read.keys)
                parts = [(member, cells[member, *keys][1][0]) for member in other.axes[0].members if (member, *keys) in cells]
                if len(parts) > 1 and sum(Fraction(value) for _, value in parts if not isinstance(value, str)) == entry.value:
                    return tuple((member.replace("_", " ").capitalize(), amount(value, other.type)) for member, value in parts)
        return ()

    # ------------------------------------------------------------------------------------------------ what came out
    def _outcomes(self) -> list[Outcome]:
        """What the rows of derived entities came to, rows that follow each other with the same outcome put together.

        Days before the year, which a program that begins before it works out as well, are those of last year's account.
        """
        since = FinancialYear.containing(self.program.last_day).first_day
        found = [
            self._outcome(row, [name for name, rule in self.chosen.derived.items() if rule.entity == row.entity])
            for row in self.root.walk()
            if any(rule.entity == row.entity for rule in self.chosen.derived.values())
            and (self.everything or spanned(row)[1] >= since)
            and not any(rule.entity == row.entity and row.values.get(rule.name) is False for rule in self.chosen.noticed)
        ]
        if self.everything or self.chosen.noticed:
            return found if self.everything else joined_outcomes(found)
        return [  # without figures that are nought because they never applied; what is paid is told all the same
            replace(outcome, figures=tuple(line for line in outcome.figures if line.name in self.paid or not nothing(line.value)))
            for outcome in joined_outcomes(found)
        ]

    def _outcome(self, row: Row, names: Sequence[str]) -> Outcome:
        first, last = spanned(row)
        lines = [line for name in names if (line := self.line(Ref(row.entity, name), row)) is not None]
        by_title = {line.title: line for line in lines}
        money = [line for line in by_title.values() if isinstance(line.type, Number) and line.type.is_money]
        paid = self._paid(row.entity, money)
        self.paid |= {paid.name} if paid is not None else set()
        own = [Ref(rule.entity, rule.name) for rule in self.chosen.noticed if rule.entity == row.entity]
        figures = (*by_title.values(), *(line for ref in own if (line := self.line(ref, row)) is not None))
        title = titled(self.layout, row)
        deciding = tuple(self._decided(row, Ref(row.entity, paid.name))) if paid is not None else ()
        if paid is None or not nothing(paid.value):
            return Outcome(title, first, last, figures, deciding, amount=Fraction(paid.value or 0) if paid is not None else Fraction(0))
        reason = self.why.told(Ref(row.entity, paid.name), row)
        return Outcome(title, first, last, figures, deciding, reason.because, reason.needed, reason.source)

    def _paid(self, entity: str, money: Sequence[Line]) -> Line | None:
        """The figure that is paid: of those that are not added up, the one that what is added up rests on nearest."""
        plain = {line.name: line for line in money if not line.adds_up}
        rules = {rule.name: rule for rule in self.program.rules if rule.entity == entity}
        waiting = [line.name for line in money if line.adds_up]
        for name in waiting:
            for ref in refs_of(rules[name].body) if name in rules else ():
                if ref.entity == entity and ref.name in plain:
                    return plain[ref.name]
                if ref.entity == entity and ref.name not in waiting:
                    waiting.append(ref.name)
        return next(iter(plain.values()), money[0] if money else None)

    def _decided(self, row: Row, paid: Ref) -> Iterator[Line]:
        """What the figure of a derived row took from the rows that it reads, what that was made of, and the row's own lines."""
        places: set[Place] = set()
        own: set[str] = set()
        waiting = [paid]
        why = {on.name for on, of in self.why.visited(paid, row) if of is row} if nothing(row.values.get(paid.name)) else set()
        while waiting:
            ref = waiting.pop()
            entry = self.chosen.relevant.get((ref, id(row)))
            if entry is None or ref.name in own:
                continue
            own.add(ref.name)
            nil = nothing(entry.value) and self._stated(entry).op is Op.CONST and ref.name not in why
            if not self.everything and (nil if entry.case is not None else str(entry.rule.type) == "yes/no"):
                continue  # a condition without a reason, or what never applied, is not taken apart
            asked = self.chosen.asked(entry)
            for read in entry.reads:
                if not isinstance(read.name, Ref) or read.row is None or not (asked is None or read.name in asked):
                    continue
                if read.row is row:
                    waiting.append(read.name)
                elif read.row.entity != row.entity:
                    places |= self._with_operands(read.name, read.row)
        own.discard(paid.name)
        nils = {name for name in self.chosen.derived if nothing(row.values.get(name)) and name not in why}
        own -= self.chosen.columns | nils if self.chosen.noticed else self.chosen.derived.keys()
        lines = [line for line in self._lines(row) if line.name in own and (self.everything or line.because or str(line.type) != "yes/no")]
        lines = [told for line in lines for told in self.callings.of(line, row)]
        for section in (*row.sources.values(), row.parent):
            if section is not None:
                found = self._of(section, places | {(ref, id(section)) for ref in self.callings.told})
                lines += [told for line in found for told in self.callings.of(line, section)]
        order = {rule.name: place for place, rule in enumerate(self.program.rules)}
        yield from sorted(lines, key=lambda line: order[line.name])
        added = (self.line(ref, row) for ref in self.callings.added if ref.entity == row.entity)
        yield from (line for line in added if line is not None and not nothing(line.value))

    def _of(self, row: Row, places: set[Place]) -> Iterator[Line]:
        """The lines of a row among some values, but for a bare count, which a line with a reason speaks of."""
        for line in self._lines(row):
            bare = str(line.type) in ("count", "yes/no") and not line.because
            if (Ref(row.entity, line.name), id(row)) in places and (self.everything or not bare):
                yield line

    def _with_operands(self, ref: Ref, row: Row) -> set[Place]:
        """A value, what plain arithmetic makes it of, and for each the value with a reason that it passes on."""
        entry = self.chosen.relevant.get((ref, id(row)))
        if entry is None:
            return set()
        found = {(ref, id(row))}
        written = self.words.written(self._stated(entry), row)
        if entry.case is None and written.leaf is not None and written.leaf[1] is row:
            found |= self._with_operands(*written.leaf)  # it is another value as it stands
        if entry.case is None and written.worked:
            found |= {(read.name, id(read.row)) for read in entry.reads if isinstance(read.name, Ref) and read.row is row}
        for told in [self.chosen.relevant[place] for place in found if place in self.chosen.relevant]:
            passed = self._stated(told).value if told.case is not None else None
            inner = self.chosen.relevant.get((passed, id(row))) if isinstance(passed, Ref) else None
            found |= {(Ref(row.entity, inner.rule.name), id(row))} if inner is not None and inner.case is not None else set()
        return found

    # ----------------------------------------------------------------------------------------------------- the rest
    def _provisional(self) -> list[str]:
        """The titles of figures in use that are not confirmed; those behind tables worked out beforehand count for all."""
        direct = {
            str(node.value)
            for rule in self.program.rules
            for node in walk(rule.body)
            if node.op in (Op.PARAMETER, Op.PARAMETER_AT, Op.LOOKUP)
        }
        used = {str(read.name) for entry in self.chosen.relevant.values() for read in entry.reads if not isinstance(read.name, Ref)}
        titles = []
        for name in self.program.provisional:
            figure = self.program.parameters.get(name) or self.program.tables.get(name)
            if figure is not None and (name in used or name not in direct):
                titles.append(figure.title or name)
        return titles

    def _values(self, row: Row) -> dict[str, Any]:
        made: dict[str, Any] = {"entity": row.entity, **key_of(self.layout, row), "facts": {}, "values": {}}
        for ref, found in self.program.inputs.items():
            if ref.entity == row.entity:
                made["facts"][ref.name] = plain(row.values.get(ref.name), found.type)
        for rule in self.program.rules:
            entry = self.trace.entry(Ref(rule.entity, rule.name), row)
            if rule.hidden or entry is None or rule.name in self.chosen.aside:
                continue
            line = self._line(entry, self.words.written(self._stated(entry), row))
            made["values"][rule.name] = {
                **plain(entry.value, rule.type),
                "title": rule.title,
                "before_rounding": exact(entry.before) if rule.rounding is not None else None,
                "working": line.working,
                "because": line.because,
                "line": None if entry.case is None else entry.case + 1,
                "source": line.source,
                "provisional": line.provisional,
            }
        return made
