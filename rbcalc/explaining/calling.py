"""What a notice calls the steps of the working: the titles and the reasons that its own file gives, row by row."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from rbcalc.explaining.model import Line
from rbcalc.explaining.words import Words, nothing, passed_on
from rbcalc_kernels.exact.rows import Row
from rbcalc_kernels.exact.trace import Trace
from rbcalc_kernels.program.graph import Op, Program, Ref, Rule


class Callings:
    """Steps under other names, for the readers of a notice.

    A rule of the notice's file that passes on a value of its own row says what that step is called.  Where it has lines, the one that
    applied gives the reason (that of the working stands where it has none), and one that gives nought in the place of the value leaves
    the step out.  Where it has none, the step is told wherever its value came to something.
    """

    def __init__(self, program: Program, trace: Trace, words: Words, rules: Iterable[Rule]) -> None:
        """Take what `rules`, those of the notice's file, say of the program's own."""
        self.program, self.trace, self.words = program, trace, words
        own = [rule for rule in rules if not rule.hidden]
        self.called = {ref: rule for rule in own if (rule.cases or not self._derived(rule)) and (ref := passed_on(rule)) is not None}
        steps = [rule for rule in own if rule.cases and self._derived(rule) and str(rule.type) != "yes/no" and passed_on(rule) is None]
        self.added = [Ref(rule.entity, rule.name) for rule in steps]

    def _derived(self, rule: Rule) -> bool:
        return bool(self.program.entities[rule.entity].derived)

    @property
    def told(self) -> set[Ref]:
        """The values whose steps are told wherever they came to something."""
        return {ref for ref, rule in self.called.items() if not rule.cases}

    @property
    def steps(self) -> set[str]:
        """The names of the rules that are steps and no columns of the notice's table."""
        return {rule.name for rule in self.called.values()} | {ref.name for ref in self.added}

    @property
    def titles(self) -> dict[Ref, str]:
        """What the notice calls the values whose steps it gives a title."""
        return {ref: rule.title for ref, rule in self.called.items() if rule.title.replace(" ", "_") != rule.name}

    def of(self, line: Line, row: Row) -> Iterator[Line]:
        """A line of a row as the notice tells it; nothing where it leaves the line out."""
        rule = self.called.get(Ref(row.entity, line.name))
        entry = self.trace.entry(Ref(rule.entity, rule.name), row) if rule is not None else None
        if rule is None or entry is None:
            yield line
            return
        case = rule.cases[entry.case] if entry.case is not None else None
        if case is not None and case.give.op is Op.CONST and nothing(entry.value):
            return
        because = self.words.because(case.because, row) if case is not None and case.because else line.because
        yield replace(line, title=self.titles.get(Ref(row.entity, line.name), line.title), because=because)
