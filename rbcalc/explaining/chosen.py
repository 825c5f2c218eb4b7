"""Which values of one account are told of: those that its results rest on, and what decided them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from rbcalc.explaining.why import Why
from rbcalc.explaining.words import nothing, refs_of, summed_up, walk
from rbcalc_kernels.exact.rows import Row
from rbcalc_kernels.exact.trace import Entry, Trace
from rbcalc_kernels.language.types import Choice
from rbcalc_kernels.program.graph import Node, Op, Program, Ref, Rule

Place = tuple[Ref, int]
"""A value: its name and the identity of its row."""
_Value = tuple[Ref, Row]


class Chosen:
    """What is told of one account, and why.

    `results` are the values of the root that it is worked out for, `relevant` what they rest on, `telling` what decided something
    though it came to nought, and `kept` why a figure did.  `aside` are rules that are not told of, `derived` those of rows that are
    made during the run; of rules set aside, `noticed` are those of such rows that are no steps, and `columns` what they read.
    """

    def __init__(
        self,
        program: Program,
        trace: Trace,
        root: Row,
        why: Why,
        *,
        everything: bool = False,
        aside: Collection[str] = (),
        steps: Collection[str] = (),
    ) -> None:
        """Choose for `root`, which was worked out; with `everything` also what came to nought and changes nothing.

        Rules of the files `aside` are not told of; those of `steps` only call other rules by names of their own.
        """
        self.program, self.trace, self.root, self.everything = program, trace, root, everything
        self.why = why
        own = [rule for rule in program.rules if rule.span is not None and rule.span.file in aside]
        self.aside = {rule.name for rule in own} | self._for_comparing_only()
        own = [rule for rule in own if rule.name not in steps and not rule.hidden]
        self.noticed = [rule for rule in own if program.entities[rule.entity].derived]
        self.columns = {ref.name for rule in self.noticed for ref in refs_of(rule.body)}
        self.results = set(self._results())
        self.summed = {
            ref.name
            for rule in program.rules
            if rule.entity == root.entity and not nothing(root.values.get(rule.name))
            for ref in summed_up(rule.body)
        }
        self.derived = {rule.name: rule for rule in program.rules if self._asked_of_derived(rule)}
        self.relevant: dict[Place, Entry] = {}
        self.telling: set[Place] = set()
        self.kept: set[Place] = set()
        self._follow([(Ref(root.entity, name), root) for name in self.results], steps=everything)
        awards = [(Ref(row.entity, name), row) for row in root.walk() for name, rule in self.derived.items() if rule.entity == row.entity]
        fragment = not self.results and not awards  # rules without totals: what people ask for is told where it stands
        named = [ref for ref in program.outputs if fragment or isinstance(program.rule(ref.entity, ref.name).type, Choice)]
        if fragment and not named:
            named = [Ref(rule.entity, rule.name) for rule in program.rules if not rule.hidden]
        self._follow([*awards, *((ref, row) for row in root.walk() for ref in named if ref.entity == row.entity)], steps=everything)
        for ref, row in awards:
            if nothing(row.values.get(ref.name)):
                self._keep(self.why.visited(ref, row))

    def _for_comparing_only(self) -> set[str]:
        """The rules of the root that nobody asks for, and that serve comparisons and the groups of reports alone."""
        program, root = self.program, self.root.entity
        asked = {ref for each in program.impacts for ref in (each.amount, each.days, *each.by)}
        asked |= {ref for report in program.reports for ref in report.by}
        readers: dict[str, set[Ref]] = {}
        for rule in program.rules:
            for ref in refs_of(rule.body):
                if ref.entity == root:
                    readers.setdefault(ref.name, set()).add(Ref(rule.entity, rule.name))
        found: set[str] = set()
        for rule in reversed(program.rules):  # each stands before those that read it
            ref, by = Ref(rule.entity, rule.name), readers.get(rule.name, set())
            if (
                rule.entity == root
                and ref not in program.outputs
                and (ref in asked if not by else by <= {Ref(root, name) for name in found})
            ):
                found.add(rule.name)
        return found

    def _asked_of_derived(self, rule: Rule) -> bool:
        ref = Ref(rule.entity, rule.name)
        noticed = not self.noticed or rule.entity in {own.entity for own in self.noticed}
        return bool(self.program.entities[rule.entity].derived) and ref in self.program.outputs and rule.name not in self.aside and noticed

    def _results(self) -> Iterator[str]:
        """The values of the root that it is worked out for: totals, what is made of totals alone, and what nothing reads."""
        own = [rule for rule in self.program.rules if rule.entity == self.root.entity and not rule.hidden and rule.name not in self.aside]
        read = {ref for rule in self.program.rules if rule.name not in self.aside for ref in refs_of(rule.body)}
        totals = {rule.name for rule in own if any(node.op is Op.AGGREGATE for node in walk(rule.body))}
        for rule in own:
            refs = {ref.name for ref in refs_of(rule.body)}
            value = self.root.values.get(rule.name)
            last = Ref(rule.entity, rule.name) not in read
            if (
                refs
                and refs <= totals
                and not rule.cases
                and not (nothing(value) and any(node.op is Op.PREVIOUS for node in walk(rule.body)))
                or (rule.name in totals or last or Ref(rule.entity, rule.name) in self.program.outputs)
                and not nothing(value)
            ):
                yield rule.name

    def _follow(self, start: Iterable[_Value], *, steps: bool) -> None:
        """Mark what the values rest on; without `steps` nothing that came to nought, unless a line applied because of it."""
        waiting = list(start)
        while waiting:
            ref, row = waiting.pop()
            entry = self.trace.entry(ref, row)
            if entry is None or (ref, id(row)) in self.relevant:
                continue
            self.relevant[ref, id(row)] = entry
            if row is self.root and nothing(entry.value) and ref.name not in self.results:
                continue  # a total of nought is not taken apart
            asked, deciding = self.asked(entry), self._deciding(entry)
            if (ref, id(row)) in self.telling:
                deciding |= set(_passed_on(entry.rule.body))
            for read in entry.reads:
                if not isinstance(read.name, Ref) or read.row is None or read.known or not (asked is None or read.name in asked):
                    continue
                decides = read.name in deciding and read.value is not False and row is not self.root
                if steps or decides or not nothing(read.value) or self._is_summed(read.name, read.row):
                    waiting.append((read.name, read.row))
                    if decides and nothing(read.value) and not steps:
                        self.telling.add((read.name, id(read.row)))

    def _is_summed(self, ref: Ref, row: Row) -> bool:
        """Whether a value of nought belongs to a stretch of days that a total counts, and so must be accounted for."""
        if ref.name not in self.summed or row.parent is not self.root or not self.program.entities[row.entity].spell:
            return False
        visited = self.why.visited(ref, row)
        self.telling |= {(on_the_way, id(of)) for on_the_way, of in visited}
        self._follow(visited, steps=False)
        return True

    def _keep(self, places: Iterable[_Value]) -> None:
        """Tell of these, though they came to nought."""
        for ref, row in places:
            self.kept.add((ref, id(row)))
            self._follow([(ref, row)], steps=False)

    def _deciding(self, entry: Entry) -> set[Ref]:
        """What the condition of the line that applied reads."""
        when = entry.rule.cases[entry.case].when if entry.case is not None else None
        return set(refs_of(when)) if when is not None else set()

    def asked(self, entry: Entry) -> set[Ref] | None:
        """What the line that applied reads; None for all that the rule reads."""
        if entry.case is None:
            return None
        case = entry.rule.cases[entry.case]
        given = set(refs_of(case.give))
        if case.when is not None:
            return given | set(refs_of(case.when))
        return given or {ref for other in entry.rule.cases if other.when is not None for ref in refs_of(other.when)}


def _passed_on(node: Node) -> Iterator[Ref]:
    """The values that a choice gives as they are."""
    if node.op is Op.IF:
        for given in node.args[1:]:
            yield from [given.value] if isinstance(given.value, Ref) and given.op is Op.COLUMN else _passed_on(given)
