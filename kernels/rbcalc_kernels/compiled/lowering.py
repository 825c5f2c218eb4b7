"""From a program's graph to tasks: statements for the rows of an entity, in an order in which they can run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from math import lcm
from typing import Final, cast

from rbcalc_kernels.compiled.arithmetic import Arithmetic
from rbcalc_kernels.compiled.bounds import MOST_ORDERED, Interval, most_rows, of_input
from rbcalc_kernels.compiled.carrying import reach
from rbcalc_kernels.compiled.groups import needed_groups
from rbcalc_kernels.compiled.layout import Layout
from rbcalc_kernels.compiled.names import Names
from rbcalc_kernels.compiled.numbers import WHOLE_LIMIT, Divisor, Form, Num, Unfit, exact, form_for, guarded, summed, word
from rbcalc_kernels.compiled.values import Fault, Flag, Held, Leaf, Member, Nodes, Steps
from rbcalc_kernels.compiled.writing import Writer
from rbcalc_kernels.exact.faults import Reason
from rbcalc_kernels.exact.paths import path_between
from rbcalc_kernels.language.types import COUNT, DATE, DAYS, YES_NO, Choice, Date, Number
from rbcalc_kernels.program.graph import Aggregate, Input, Node, Op, Program, Ref, Rule
from rbcalc_kernels.source import Findings, Span

_TRIED: Final = 3  # rows after which the ranges of carried figures are reasoned about instead of followed

_SELDOM: Final = 1_024  # an addend beyond such a share of what is declared to be possible is rare enough to be worked out exactly

_NOWHERE: Final = Span("<rules>", 1, 1, 1, 1)


@dataclass(slots=True)
class Task:
    """Values of one entity that are worked out together.

    `kind` is vector (each row by itself), sequential (rows in order, each after the one before) or the name of an
    aggregate function, which reads the columns `over` of `child` rows: the values, and for min and max whether they count.
    """

    refs: tuple[Ref, ...]
    entity: str
    kind: str
    lines: list[str] = field(default_factory=list)
    reads: tuple[Leaf, ...] = ()
    title: str = ""
    child: str = ""
    over: tuple[Ref, ...] = ()


@dataclass(frozen=True, slots=True)
class Summed:
    """Where the figure of an aggregate stands, and for min and max the count of rows that it is of."""

    function: str
    child: str
    ref: Ref
    rows: Ref | None = None


class _Refused(Exception):
    """A rule reads another that was refused."""


class Lowering:
    """Everything that is known about a program while it is compiled for some outputs.

    Entities in `collapsed` have exactly one row for each root row and share its index.  Raises RulesError when an
    expression fits no number form.
    """

    def __init__(self, program: Program, outputs: Sequence[Ref], collapsed: frozenset[str] = frozenset()) -> None:
        self.program = program
        self.days = program.last_day - program.first_day + 1
        self.collapsed = collapsed
        self.nodes = Nodes()
        self.names = Names()
        self.layout = Layout(program, divisors(program))
        self.faults: list[Fault] = []
        self.tasks: list[Task] = []
        self._rules = {Ref(rule.entity, rule.name): rule for rule in program.rules}
        self._held: dict[Ref, Held] = {}
        self._assumed: dict[Ref, Held | None] = {}
        self._group: frozenset[Ref] = frozenset()
        self._hidden: dict[tuple[object, ...], Ref] = {}
        self._whole: dict[Ref, tuple[Ref, int] | None] = {}
        self._plain: dict[tuple[str, int], bool] = {}
        self._summed: dict[tuple[str, int], Summed] = {}
        self._ways: dict[tuple[str, str], Steps] = {}
        self.ordered: set[str] = set()
        self.outputs: dict[Ref, Ref] = {}
        findings = Findings()
        groups = list(needed_groups(program, outputs, self.nodes))
        needed = [self._rules[ref] for group in groups for ref in group]
        self._uses = Counter((rule.entity, inner) for rule in needed for inner in self.nodes.within(rule.body))
        for group in groups:
            try:
                self._lower_group([self._rules[ref] for ref in group])
            except _Refused:
                continue
            except Unfit as refusal:
                self._report(findings, refusal, self._rules[group[0]])
        for ref in outputs:
            try:
                self.outputs[ref] = self._output(ref)
            except _Refused:
                continue
            except Unfit as refusal:
                self._report(findings, refusal, self._rules[ref])
        findings.raise_if_errors(program.sources)

    @staticmethod
    def _report(findings: Findings, refusal: Unfit, rule: Rule) -> None:
        node = getattr(refusal, "node", None)
        span = getattr(node, "span", None) or rule.span or _NOWHERE
        message = f"{rule.entity}.{rule.name}: {refusal.message}"
        findings.error(refusal.code, message, span, label=refusal.message, help=refusal.help)

    def _output(self, ref: Ref) -> Ref:
        """The column that holds an output over a constant denominator."""
        held = self.held(ref)
        if isinstance(held, Num) and held.powers:
            ref = self.settled(ref)
            held = self.held(ref)
        if isinstance(held, Num) and held.form is Form.CERTIFIED:
            raise Unfit("RB095", "the figure has too many digits to be given exactly", "round it")
        return ref

    # entities

    def space(self, entity: str) -> str:
        """The entity whose row numbers the rows of an entity have."""
        while entity in self.collapsed:
            entity = cast("str", self.program.entities[entity].parent)
        return entity

    def is_collapsed(self, entity: str) -> bool:
        """Whether the entity shares the root's rows."""
        return entity in self.collapsed

    def way(self, start: str, end: str) -> Steps:
        """The steps from rows of one entity to rows of another that their rules read."""
        found = self._ways.get((start, end))
        if found is None:
            steps: list[tuple[str, str | None]] = []
            at = start
            together = self.space(start) == self.space(end)
            for step in () if together else path_between(self.program, start, end).steps:
                following = step if step is not None else cast("str", self.program.entities[at].parent)
                if step is not None or self.space(at) != self.space(following):
                    steps.append((self.space(at), step))
                at = following
            found = self._ways[start, end] = tuple(steps)
        return found

    def may_lack(self, steps: Steps) -> bool:
        """Whether rows may find no row in force at the end of a way: only made rows have timelines, of which some need not have one."""
        timelines = ((step, timeline) for at, step in steps for timeline in self.program.entities[at].derived)
        return any(step == timeline.entity and not timeline.needed for step, timeline in timelines)

    def spell_of(self, entity: str) -> str:
        """The nearest spell entity at or above an entity, which says its rows' period; the root where there is none."""
        above = (entity, *self.program.ancestors(entity))
        return next((name for name in above if self.program.entities[name].spell), above[-1])

    def most_rows(self, entity: str, child: str) -> int:
        """The most rows of `child` below one row of `entity` that a run accepts."""
        most = 1
        at: str | None = child
        while at is not None and at != entity:
            described = self.program.entities[at]
            most *= described.most or most_rows(described, self.days)
            at = described.parent
        return most

    # columns

    def held(self, ref: Ref) -> Held:
        """How a column is held."""
        found = self._held.get(ref)
        if found is None:
            fact = self.program.inputs.get(ref)
            if fact is None and ref.name in ("first_day", "last_day", "days"):
                days = ref.name == "days"
                fact = Input(ref.name, ref.entity, DAYS if days else DATE, high=Fraction(self.days if days else 0), built_in=True)
            if fact is None:
                raise _Refused
            found = self._held[ref] = _held_input(fact)
        return found

    def standing(self, ref: Ref, held: Held, text: str, *, previous: bool = False) -> Held:
        """A column's value under a variable's name."""
        if isinstance(held, Num):
            if held.is_constant and held.low == 0:
                return held
            leaf = None
            if held.low > 0 and not previous and held.form is not Form.CERTIFIED:
                leaf = Divisor(ref, False, held.low, held.high)
            return held if held.is_constant else replace(held, text=text, leaf=leaf)
        if isinstance(held, Member):
            return held if held.code is not None else replace(held, text=text)
        return held if held.known is not None else replace(held, text=text)

    def carried(self, ref: Ref) -> tuple[Ref, Held] | None:
        """The column that holds what `previous` reads; None while nothing is known of it yet."""
        if ref in self._group:
            held = self._assumed.get(ref)
            return None if held is None else (ref, held)
        held = self.held(ref)
        if isinstance(held, Num) and held.powers:
            ref = self.settled(ref)
        return ref, self.held(ref)

    def in_group(self, refs: Iterable[Ref]) -> bool:
        """Whether any of the columns is being worked out row after row just now."""
        return not self._group.isdisjoint(refs)

    def fault_code(self, rule: Ref, reason: Reason, about: str) -> int:
        """The code, from 1, of a way in which rows can fail."""
        fault = Fault(rule, reason, about)
        if fault not in self.faults:
            self.faults.append(fault)
        return self.faults.index(fault) + 1

    # hidden columns

    def is_shared(self, entity: str, node: Node) -> bool:
        """Whether several rules of an entity ask for what a node says, and every row can work it out without a fault."""
        wanted = self._group or self._uses[entity, self.nodes.number(node)] > 1  # what one row after another needs not, goes before
        if not wanted or self.in_group(self.nodes.refs(node)):
            return False
        key = (entity, self.nodes.number(node))
        if key not in self._plain:
            self._plain[key] = False  # while it is tried, and for its own column
            writer = Writer(self, Ref(entity, "aside"), "aside")
            try:
                whole = writer.value(node)
            except Unfit:
                return False
            exact_ = isinstance(whole, Num) and whole.form is not Form.CERTIFIED and not whole.powers
            if exact_ and not any(line.startswith(("failed ", "unsure ")) for line in writer.lines.text):
                self.hoisted(entity, node, str(node.op.value))
                self._plain[key] = True
        return self._plain[key]

    def hoisted(self, entity: str, node: Node, hint: str) -> Ref:
        """A column of an entity that holds an expression's value."""
        key = (entity, self.nodes.number(node))
        ref = self._hidden.get(key)
        if ref is None:
            if self.in_group(self.nodes.refs(node)):
                raise Unfit("RB096", "a figure carried from row to row is used across rows here", "round it in a rule of its own")
            ref = Ref(entity, f"~{hint} {len(self._hidden) + 1}")
            self.tasks.append(self._written(ref, node, ""))
            self._hidden[key] = ref
        return ref

    def settled(self, ref: Ref) -> Ref:
        """A column with another's value over a constant denominator."""
        return self._changed(ref, "settled", lambda math, value: math.settled(value))

    def _changed(self, ref: Ref, how: str, change: Callable[[Arithmetic, Num], Num]) -> Ref:
        key = (how, ref)
        found = self._hidden.get(key)
        if found is None:
            found = Ref(ref.entity, f"~{ref.name} {how}")
            writer = Writer(self, found, self.names.of_ref(found))
            value = change(writer.math, cast("Num", writer.read(ref)))
            self.tasks.append(self._task(found, writer, value, ""))
            self._hidden[key] = found
        return found

    def numerator(self, ref: Ref) -> tuple[Ref, int] | None:
        """A column with the numerator of another, as int64 gives it, and its denominator, a constant; None where there is none."""
        if ref not in self._whole and not self.in_group((ref,)):
            found = Ref(ref.entity, f"~{ref.name} numerator")
            writer = Writer(self, found, self.names.of_ref(found))
            whole = writer.math.numerator(cast("Num", writer.read(ref)))
            self._whole[ref] = None if whole is None else (found, whole.den)
            if whole is not None:
                self.tasks.append(self._task(found, writer, word(whole.text), ""))
        return self._whole.get(ref)

    def aggregate(self, entity: str, node: Node) -> Summed:
        """Where the figure of an AGGREGATE node of an entity's rules stands."""
        key = (entity, self.nodes.number(node))
        if key not in self._summed:
            self._summed[key] = self._aggregated(entity, node)
        return self._summed[key]

    def _aggregated(self, entity: str, node: Node) -> Summed:
        what = cast("Aggregate", node.value)
        value, condition = node.args[0], node.args[1]
        child = what.child
        always = condition.op is Op.CONST and condition.value is True
        none, one = (Node(Op.CONST, COUNT, (), Fraction(k)) for k in (0, 1))
        if what.function in ("count", "any", "all"):
            counted = (none, one) if what.function == "all" else (one, none)
            taken = self.hoisted(child, Node(Op.IF, COUNT, (condition, *counted)), what.function)
            if always and what.function == "count" and self.space(child) != self.space(entity):
                return Summed("count", child, self._total(entity, child, "rows", taken))
            return Summed(what.function, child, self._total(entity, child, "sum", taken))
        nothing = Node(Op.CONST, value.type, (), 0 if isinstance(value.type, Date) else Fraction(0))
        masked = value if always else Node(Op.IF, value.type, (condition, value, nothing), None, value.span)
        held = self.hoisted(child, masked, what.function)
        if what.function == "sum":
            return Summed("sum", child, self._total(entity, child, "sum", held))
        taken = self.hoisted(child, Node(Op.IF, COUNT, (condition, one, none)), "count")
        return Summed(what.function, child, self._total(entity, child, what.function, held, taken),
                      self._total(entity, child, "sum", taken))  # fmt: skip

    def _total(self, entity: str, child: str, function: str, *over: Ref) -> Ref:
        """A column of an entity with the sum (or least, or greatest) of a column of its child rows."""
        if self.space(child) == self.space(entity):
            return over[0]
        held = cast("Num", self.held(over[0]))
        near = {entity, *self.program.ancestors(entity)}
        if any(divisor.ref.entity not in near for divisor, _ in held.powers):
            over = (self.settled(over[0]), *over[1:])
            held = cast("Num", self.held(over[0]))
        most = self.most_rows(entity, child) if function in ("sum", "rows") else 1
        if held.form is Form.WHOLE and WHOLE_LIMIT <= most * max(-held.low, held.high) < _SELDOM * WHOLE_LIMIT:
            over = (
                self._changed(over[0], f"for {most} rows", lambda math, a: guarded(math.lines, a, (WHOLE_LIMIT - 1) // most)),
                *over[1:],
            )
            held = cast("Num", self.held(over[0]))
        key = ("total", entity, child, function, over)
        ref = self._hidden.get(key)
        if ref is None:
            ref = Ref(entity, f"~{function} of {child} {len(self._hidden) + 1}")
            self._held[ref] = summed(held, most)
            self.tasks.append(Task((ref,), entity, function, child=child, over=over))
            self._hidden[key] = ref
        return ref

    # rules

    def _written(self, ref: Ref, node: Node, title: str) -> Task:
        writer = Writer(self, ref, self.names.of_ref(ref))
        return self._task(ref, writer, writer.value(node), title)

    def _task(self, ref: Ref, writer: Writer, value: Held, title: str) -> Task:
        name = self.names.of_ref(ref)
        writer.lines.name(name, value.text)
        self._held[ref] = replace(value, leaf=None) if isinstance(value, Num) else value
        return Task((ref,), ref.entity, "vector", writer.lines.text, tuple(writer.reads), title)

    def _lower_group(self, rules: list[Rule]) -> None:
        refs = [Ref(rule.entity, rule.name) for rule in rules]
        carried = {ref for rule in rules for ref in _carried(rule.body)} & set(refs)
        if not carried:
            for ref, rule in zip(refs, rules, strict=True):
                self.tasks.append(self._written(ref, rule.body, rule.title or rule.name))
            return
        if len({rule.entity for rule in rules}) > 1:
            raise Unfit("RB096", "figures are carried from row to row through rows of another entity", "carry them in one")
        if rules[0].entity in self.collapsed:
            for ref, rule in zip(refs, rules, strict=True):
                self.tasks.append(self._written(ref, rule.body, rule.title or rule.name))
            return
        self.ordered.add(rules[0].entity)
        self._group = frozenset(refs)
        self._assumed = dict.fromkeys(carried)
        try:
            for row in range(MOST_ORDERED):
                if self._settle_round(refs, rules) or (row == _TRIED and self._leap(rules)):
                    break
            task = self._group_task(refs, rules)
        finally:
            self._group, self._assumed = frozenset(), {}
        self.tasks.append(task)

    def _settle_round(self, refs: list[Ref], rules: list[Rule]) -> bool:
        """Work out what one more row can bring; true when it brings nothing new."""
        for ref, rule in zip(refs, rules, strict=True):
            self._written(ref, rule.body, "")
        same = True
        for ref, before in self._assumed.items():
            now = self._held[ref]
            wider = _wider(before, now)
            same = same and wider == before
            self._assumed[ref] = wider
        return same

    def _leap(self, rules: list[Rule]) -> bool:
        """Take the ranges of carried figures that only move from row to row by what moves them; false when they do not."""
        shapes = {ref: held for ref, held in self._assumed.items() if isinstance(held, Num)}
        if any(held.form is Form.CERTIFIED for held in shapes.values()) or len(shapes) < len(self._assumed):
            return False
        writer = Writer(self, Ref(rules[0].entity, rules[0].name), "aside")
        found = reach(
            rules,
            lambda node: self.in_group(self.nodes.refs(node)),
            lambda node: writer.number(node).value,
            MOST_ORDERED,
            (Ref(rules[0].entity, "days"), self.days),
        )
        if found is None:
            return False
        wide: dict[Ref, Num] = {}
        for ref, held in shapes.items():
            n = found * Interval.of(held.den, held.den)
            form = form_for(*n.whole())
            if form is None:
                return False
            wide[ref] = exact("", form, held.den, (), *n.whole(), found)
        self._assumed |= wide
        # One more row must bring no other denominator.
        self._settle_round([Ref(rule.entity, rule.name) for rule in rules], rules)
        after = {ref: cast("Num", self._assumed[ref]) for ref in wide}
        same = all(held.form is not Form.CERTIFIED and held.den == wide[ref].den for ref, held in after.items())
        self._assumed |= wide if same else shapes
        return same

    def _group_task(self, refs: list[Ref], rules: list[Rule]) -> Task:
        lines: list[str] = []
        reads: dict[Leaf, None] = {}
        for ref, rule in zip(refs, rules, strict=True):
            name = self.names.of_ref(ref)
            writer = Writer(self, ref, name)
            value = writer.value(rule.body)
            shape = self._assumed.get(ref)
            if isinstance(value, Num) and isinstance(shape, Num):
                value = writer.math.converted(value, shape)
            writer.lines.name(name, value.text)
            self._held[ref] = replace(value, leaf=None) if isinstance(value, Num) else value
            lines += writer.lines.text
            reads |= writer.reads
        return Task(tuple(refs), rules[0].entity, "sequential", lines, tuple(reads), rules[0].title)


def divisors(program: Program) -> frozenset[str]:
    """The parameters that something is divided by directly."""
    found: set[str] = set()
    work = [rule.body for rule in program.rules]
    while work:
        node = work.pop()
        work += node.args
        if node.op is Op.DIV:
            under = node.args[1]
            while under.op is Op.AS:
                under = under.args[0]
            if under.op is Op.PARAMETER:
                found.add(cast("str", under.value))
    return frozenset(found)


def _carried(node: Node) -> set[Ref]:
    found: set[Ref] = set()
    work = [node]
    while work:
        at = work.pop()
        work += at.args
        if at.op is Op.PREVIOUS:
            found.add(cast("Ref", at.value))
    return found


def _held_input(fact: Input) -> Held:
    if isinstance(fact.type, Choice):
        return Member("", len(fact.type.members))
    if fact.type == YES_NO:
        return Flag("")
    value = of_input(fact)
    den = fact.step.denominator if isinstance(fact.type, Number) else 1
    low, high = (value * Interval.of(den, den)).whole()
    form = form_for(low, high)
    if form is None:
        raise Unfit("RB091", f"{fact.name} has too wide a range", "declare a narrower range")
    return exact("", form, den, (), low, high, value)


def _wider(before: Held | None, now: Held) -> Held:
    """A shape that holds what both do."""
    if not isinstance(now, Num):
        return Flag("") if isinstance(now, Flag) else Member("", now.count)
    if now.powers:
        raise Unfit("RB096", "a figure carried from row to row is divided by one that varies", "round it before it is carried")
    now = now if now.is_constant else replace(now, text="", leaf=None)
    if not isinstance(before, Num):
        return now
    value = before.value.join(now.value)
    if Form.CERTIFIED in (before.form, now.form):
        error = max(before.error, now.error)
        return Num("", Form.CERTIFIED, before.den if before.form is now.form and before.den == now.den else 1, (), 0, 0, value, error)
    den = lcm(before.den, now.den)
    both = Interval.of(before.low * (den // before.den), before.high * (den // before.den)).join(
        Interval.of(now.low * (den // now.den), now.high * (den // now.den))
    )
    form = form_for(*both.whole(), den)
    if form is None:
        raise Unfit("RB090", f"a figure carried from row to row may reach {float(value.largest):.4g}", "round or cap it")
    return exact("", form, den, (), *both.whole(), value)
