"""The bodies of rules: typed, version by version, and as the lines that explain them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from rbcalc_kernels.exact.constants import evaluate_constant
from rbcalc_kernels.exact.faults import CalculationFault
from rbcalc_kernels.language.documents import RuleDoc, Text, VersionDoc
from rbcalc_kernels.language.types import DATE, YES_NO, Choice, Type
from rbcalc_kernels.program.expressions import Scope, Stop, Typer, known_if
from rbcalc_kernels.program.graph import Case, Node, Op, Ref, Rounding, Rule, Source
from rbcalc_kernels.program.library import remembered_as
from rbcalc_kernels.program.meaning import Meanings, Words, words_of
from rbcalc_kernels.program.names import Names
from rbcalc_kernels.program.overlays import Declared, Entry
from rbcalc_kernels.program.tables import rounded
from rbcalc_kernels.program.values import _NOTHING, rounding_of, source_of
from rbcalc_kernels.source import Findings, Span, suggest

_BRACES: Final = re.compile(r"\{([^{}]*)\}")
MOST_LINES: Final = 100
_UNFOLDED: Final = frozenset({Op.CONST, Op.REACHED, Op.AGGREGATE, Op.PREVIOUS, Op.KNOWN, Op.PARAMETER_AT, Op.LOOKUP, Op.OVER, Op.REFUSE})


@dataclass(slots=True)
class Body:
    """A rule as typed: the node, the lines that tell the same, and its source."""

    node: Node
    cases: tuple[Case, ...]
    rounding: Rounding | None
    source: Source | None
    origin: str
    _rule: Rule | None = None

    def as_rule(self, ref: Ref, type_: Type, title: str, span: Span) -> Rule:
        """The rule of this body; the one that was last made of it, where it is called and stands as that does."""
        known = self._rule
        if known is None or (known.entity, known.name, known.type, known.title, known.span) != (*ref, type_, title, span):
            rounding, origin = self.rounding, self.origin
            known = Rule(ref.name, ref.entity, type_, self.node, title, self.source, self.cases, rounding, False, origin, span)
            self._rule = known
        return known


def folded(node: Node) -> Node:
    """The node with everything that rests on constants alone worked out."""
    args = tuple([folded(arg) for arg in node.args])
    if any(new is not old for new, old in zip(args, node.args, strict=True)):
        node = Node(node.op, node.type, args, node.value, node.span)
    if args and node.op not in _UNFOLDED and all(arg.op is Op.CONST for arg in args):
        try:
            return Node(Op.CONST, node.type, (), evaluate_constant(node, _NOTHING), node.span)
        except (ArithmeticError, CalculationFault):
            return node  # a division by zero is refused where its range is proved
    if node.op is Op.IF and args[0].op is Op.CONST:
        return args[1] if args[0].value else args[2]
    return node


def stand_in(type_: Type) -> Node:
    """A constant of a type, for a place where no value is ever used."""
    value: object = Fraction(0)
    if type_ == YES_NO:
        value = False
    elif type_ == DATE:
        value = 0
    elif isinstance(type_, Choice):
        value = type_.members[0]
    return Node(Op.CONST, type_, (), value)


class Bodies:
    """Types the statements of rules."""

    def __init__(self, names: Names, findings: Findings, meanings: Meanings, remembered: dict[object, object]) -> None:
        # Statements of files that stay as they are need not be typed again while their words mean the same.
        self.names, self.findings, self._meanings = names, findings, meanings
        self._known: dict[object, tuple[Body, object]] = remembered_as(remembered, "bodies")
        self._words: dict[int, tuple[Words, object]] = remembered_as(remembered, "words")

    def body(self, declared: Declared, pieces: Sequence[tuple[int, Entry]]) -> Body | None:
        """The body of a rule whose statements come into force on the given days of the year, the first at its start."""
        ref = Ref(str(declared.doc.of), str(declared.name))
        if len(pieces) > MOST_LINES:
            message = f"'{ref.name}' has {len(pieces)} versions in one year; {MOST_LINES} are allowed"
            self.findings.error("RB083", message, declared.span, help="make a table or a parameter of what changes")
            return None
        made: list[tuple[int, Body]] = []
        for first, entry in pieces:
            body = self._statement(ref, declared, entry)
            if body is None:
                return None
            made.append((first, body))
        if len(made) == 1:
            return made[0][1]
        if self.names.spell_of(ref.entity) is None:
            self.findings.error(
                "RB053",
                f"'{ref.name}' changes during the year, but {ref.entity} is not cut in time",
                pieces[1][1].span,
                help="move it to a spell, or change it on the first day of a year",
            )
            return None
        key = tuple((first, id(body)) for first, body in made)
        if key not in self._known:
            self._known[key] = (self._joined(made), [body for _, body in made])
        return self._known[key][0]

    def _joined(self, made: list[tuple[int, Body]]) -> Body:
        """Versions of one year as one body: from each day on, that day's version."""
        _, earliest = made[0]
        node = earliest.node
        cases = list(earliest.cases)
        for first, body in made[1:]:
            day = Node(Op.CONST, DATE, (), first, body.node.span)
            test = Node(Op.REACHED, YES_NO, (day,), None, body.node.span)
            node = Node(Op.IF, node.type, (test, body.node, node), None, body.node.span)
            lines = []
            for case in body.cases:
                when = test if case.when is None else Node(Op.AND, YES_NO, (test, case.when), None, case.when.span)
                lines.append(Case(when, case.give, case.because, case.source))
            cases = [*lines, *cases]
        latest = made[-1][1]
        return Body(node, tuple(cases), latest.rounding if latest.rounding == earliest.rounding else None, latest.source, latest.origin)

    def _statement(self, ref: Ref, declared: Declared, entry: Entry) -> Body | None:
        doc = entry.rule
        assert doc is not None
        if id(doc) not in self._words:
            self._words[id(doc)] = (words_of(ref.name, doc), doc)
        meant = self._meanings.of(self._words[id(doc)][0])
        key = (id(doc), id(declared.doc), id(entry.file), id(entry.cited), self._meanings.entities, meant)
        if key not in self._known:
            before = len(self.findings)
            body = self._typed(ref, declared, entry)
            if body is None or len(self.findings) > before:
                return body
            self._known[key] = (body, (doc, declared.doc, entry.file, entry.cited))  # kept, so that their identities stay theirs
        return self._known[key][0]

    def _typed(self, ref: Ref, declared: Declared, entry: Entry) -> Body | None:
        doc = entry.rule
        assert doc is not None
        type_ = self.names.rules[ref].type
        round_text = doc.round if doc.round is not None else declared.doc.round
        rounding = rounding_of(round_text, type_, self.findings) if round_text is not None else None
        source = entry.source
        if source is None:
            self.findings.error("RB081", f"'{ref.name}' has no source", entry.span, help="add source: to the rule or to the file")
        try:
            if doc.is_ is not None:
                node = Typer(self.names, doc.is_, self.findings).typed(Scope(ref.entity), type_)
                return Body(rounded(folded(node), rounding), (), rounding, source, entry.kind)
            return self._lines(ref, doc, entry, type_, rounding, source)
        except Stop:
            return None

    def _lines(
        self, ref: Ref, doc: RuleDoc | VersionDoc, entry: Entry, type_: Type, rounding: Rounding | None, source: Source | None
    ) -> Body:
        scope = Scope(ref.entity)
        cases: list[Case] = []
        failed = False
        lines = doc.first or []
        if not lines or lines[-1].otherwise is None:
            self.findings.error("RB083", f"'{ref.name}' does not say what holds otherwise", entry.span, help="end with - otherwise: ...")
            raise Stop
        if len(lines) > MOST_LINES:
            message = f"'{ref.name}' has {len(lines)} lines; {MOST_LINES} are allowed"
            self.findings.error("RB083", message, entry.span, help="make a table of it, or name groups of lines as rules of their own")
            raise Stop
        seen: list[Node] = []
        for place, line in enumerate(lines):
            last = place == len(lines) - 1
            text = line.otherwise if last else line.give or line.refuse
            ways = [t for t in (line.give, line.refuse, line.otherwise) if t is not None]
            if (line.when is None) != last or text is None or len(ways) != 1:
                where = next(t for t in (*ways, line.when, line.because) if t is not None).span
                self.findings.error("RB083", "a line is `when:` with `give:` or `refuse:`; only the last is `otherwise:`", where)
                raise Stop
            try:
                test = None
                if line.when is not None:
                    typer = Typer(self.names, line.when, self.findings)
                    test = folded(typer.typed(scope, YES_NO))
                    if test in seen or test.op is Op.CONST:
                        what = (
                            "always no"
                            if test.op is Op.CONST and not test.value
                            else "always yes"
                            if test.op is Op.CONST
                            else "asked by a line above"
                        )
                        self.findings.error(
                            "RB082",
                            f"this line can never be told from the others: its condition is {what}",
                            line.when.span,
                            help="take the line away or mend its condition",
                        )
                    seen.append(test)
                inside = scope if test is None else scope.knowing(known_if(test, True))
                if line.refuse is not None:
                    give = Node(Op.REFUSE, type_, (stand_in(type_),), str(line.refuse), line.refuse.span)
                else:
                    give = folded(Typer(self.names, text, self.findings).typed(inside, type_))
                self._check_because(ref, line.because)
                cited = entry.cited is not None and (line.source is None or line.source.law is None)
                own, _ = source_of(entry.file, *entry.levels, (None if cited else line.source, None))
                cases.append(Case(test, give, str(line.because or ""), own or source))
                if test is not None:
                    scope = scope.knowing(known_if(test, False))
            except Stop:
                failed = True  # the other lines are still read: many errors in one run
        if failed:
            raise Stop
        node = cases[-1].give
        for case in reversed(cases[:-1]):
            assert case.when is not None
            node = Node(Op.IF, type_, (case.when, case.give, node), None, case.when.span)
        return Body(rounded(node, rounding), tuple(cases), rounding, source, entry.kind)

    def _check_because(self, ref: Ref, because: Text | None) -> None:
        for match in _BRACES.finditer(str(because or "")):
            name = match[1]
            if self.names.find(ref.entity, name) is None and name not in self.names.parameters:
                assert because is not None
                hint = suggest(name, self.names.visible(ref.entity)).strip(" ()")
                span = because.scalar.part(match.start(1), match.end(1))
                self.findings.error(
                    "RB080", f"no such name in braces: {name}", span, help=hint or f"braces name a value of {ref.entity} or a parameter"
                )
