"""Works out a program's rules for one root row in exact rational arithmetic.

This is the plain reading of the graph, against which the compiled kernel is held.  Rules are worked out in the program's
order, row by row; a value that is needed before its turn (the row before's, in a chain of rules) is worked out at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from fractions import Fraction
from typing import Any

from rbcalc_kernels.exact import timelines
from rbcalc_kernels.exact.constants import Environment, evaluate_constant
from rbcalc_kernels.exact.faults import CalculationFault, Reason
from rbcalc_kernels.exact.figures import cell, figure_on
from rbcalc_kernels.exact.machine import ABSENT, Bound, Code, flatten, run
from rbcalc_kernels.exact.operations import OPERATIONS
from rbcalc_kernels.exact.paths import Path, path_between
from rbcalc_kernels.exact.rows import Row
from rbcalc_kernels.exact.trace import Entry, Read, Trace
from rbcalc_kernels.program.graph import Aggregate, Node, Op, Parameter, Program, Ref, Rule, Table, Value

__all__ = ["Environment", "Evaluator", "closure", "evaluate", "evaluate_constant"]

_SUMMARIES = ("count", "any", "all")


class Run:
    """The working memory for one root row."""

    __slots__ = ("active", "program", "reads", "rows", "trace")

    def __init__(self, program: Program, root: Row | None, trace: Trace | None = None) -> None:
        self.program = program
        self.trace = trace
        self.reads: list[Read] | None = None
        self.active: set[tuple[str, int]] = set()
        self.rows: dict[str, list[Row]] = {name: [] for name, entity in program.entities.items() if not entity.derived}
        for row in root.walk() if root is not None else ():
            self.rows.setdefault(row.entity, []).append(row)

    def note(self, name: Ref | str, value: Any, **details: Any) -> None:
        """Keep for the trace that a value was read."""
        if self.reads is not None:
            self.reads.append(Read(name, value, **details))


Context = tuple[Run, Row]


class Evaluator:
    """A program made ready for any number of root rows.  It keeps nothing between rows, so threads may share it."""

    def __init__(self, program: Program, wanted: Iterable[Ref] | None = None) -> None:
        self.program = program
        self.by_ref: dict[Ref, Rule] = {Ref(rule.entity, rule.name): rule for rule in program.rules}
        needed = None if wanted is None else closure(program, wanted, self.by_ref)
        self.order = [(ref, rule) for ref, rule in self.by_ref.items() if needed is None or ref in needed]
        self._names: dict[str, list[str]] = {name: [] for name in program.entities}
        for rule in program.rules:
            self._names[rule.entity].append(rule.name)
        self._bodies: dict[int, Code] = {}  # by the rule's identity: names would take longer to look up than to work out
        self._codes: dict[tuple[Ref, str], Code] = {}
        self._paths: dict[tuple[str, str], Path] = {}

    def run(self, root: Row, trace: Trace | None = None) -> dict[Ref, list[Value]]:
        """Work out the rules for a root row and all below it, and store them in the rows.

        Gives each rule's values for the rows of its entity, in order.  Raises CalculationFault.
        """
        self._clear(root)
        state = Run(self.program, root, trace)
        if trace is not None:
            trace.start(self.program)
        results: dict[Ref, list[Value]] = {}
        value = self._rule_value
        for ref, rule in self.order:
            rows = state.rows.get(rule.entity)
            if rows is None:
                rows = self._rows(state, rule.entity)
            results[ref] = [value(state, row, rule) for row in rows]
        return results

    def reader(self, node: Node, entity: str) -> Callable[[Row], Value]:
        """A function that gives the value of an expression of facts and parameters for a row of `entity`."""
        code = flatten(node, lambda inner: self._bind(inner, entity))
        state = Run(self.program, None)
        return lambda row: run(code, (state, row))

    def _clear(self, root: Row) -> None:
        """Forget an earlier run's results and derived rows."""
        entities = self.program.entities
        for row in list(root.walk()):
            for name in [name for name in row.children if entities[name].derived]:
                del row.children[name]
        for row in root.walk():
            for name in row.values.keys() & self._names[row.entity]:
                del row.values[name]

    def _rows(self, state: Run, entity: str) -> list[Row]:
        self._derive(state, entity)
        return state.rows.get(entity, [])

    def _derive(self, state: Run, entity: str) -> None:
        """Make the rows of a derived entity when they are first needed."""
        described = self.program.entities[entity]
        if not described.derived or entity in state.rows:
            return
        for timeline in described.derived:
            self._derive(state, timeline.entity)

        def effective(row: Row, name: str) -> int:
            day = self._read(state, row, Ref(row.entity, name))
            assert isinstance(day, int)
            return day

        parents = state.rows.get(described.parent or "", [])
        reads, state.reads = state.reads, None
        made = [row for parent in parents for row in timelines.derive(self.program, entity, parent, effective)]
        state.reads = reads
        state.rows[entity] = made

    def _code(self, ref: Ref, part: str, node: Node) -> Code:
        code = self._codes.get((ref, part))
        if code is None:
            code = self._codes[ref, part] = flatten(node, lambda inner: self._bind(inner, ref.entity))
        return code

    def _rule_value(self, state: Run, row: Row, rule: Rule) -> Value:
        """The value of a rule for a row, worked out unless it was."""
        if (known := row.values.get(rule.name)) is not None:
            return known
        place = (rule.name, id(row))
        if place in state.active:
            raise CalculationFault(Reason.CIRCULAR, "needs its own value", rule=Ref(rule.entity, rule.name), row=row)
        state.active.add(place)
        try:
            value = self._work_out(state, row, rule)
        except CalculationFault as fault:
            if fault.rule is None:
                fault.rule, fault.row = Ref(rule.entity, rule.name), row
            raise
        state.active.discard(place)
        row.values[rule.name] = value
        return value

    def _work_out(self, state: Run, row: Row, rule: Rule) -> Value:
        value: Value
        code = self._bodies.get(id(rule))
        if code is None:
            code = self._bodies[id(rule)] = flatten(rule.body, lambda inner: self._bind(inner, rule.entity))
        if state.trace is None:
            value = run(code, (state, row))
            return value
        ref = Ref(rule.entity, rule.name)
        outer, state.reads = state.reads, []
        if rule.body.op is Op.ROUND:
            before = run(self._code(ref, "before", rule.body.args[0]), (state, row))
            value = OPERATIONS[Op.ROUND](before, rule.body.value)
        else:
            before = value = run(code, (state, row))
        reads, state.reads = tuple(state.reads), None
        case = self._case(state, row, rule)
        if case is not None and rule.rounding is not None and rule.body.op is not Op.ROUND:
            before = run(self._code(ref, f"give {case}", rule.cases[case].give), (state, row))
        state.reads = outer
        state.trace.add(Entry(rule, row, value, case, before, reads))
        return value

    def _case(self, state: Run, row: Row, rule: Rule) -> int | None:
        """The place of the first case that applies; None for a rule without cases."""
        for place, case in enumerate(rule.cases):
            if case.when is None:
                return place
            if run(self._code(Ref(rule.entity, rule.name), f"when {place}", case.when), (state, row)):
                return place
        return None

    def _path(self, row: Row, entity: str) -> Path:
        path = self._paths.get((row.entity, entity))
        if path is None:
            path = self._paths[row.entity, entity] = path_between(self.program, row.entity, entity)
        return path

    def _target(self, row: Row, entity: str) -> Row:
        """The row of `entity` that a rule of `row`'s entity reads."""
        return self._path(row, entity).follow(row)

    def _read(self, state: Run, row: Row, ref: Ref) -> Value:
        """The value of a rule or a fact of a row."""
        value = row.values.get(ref.name)
        if value is None:
            rule = self.by_ref.get(ref)
            if rule is None:
                raise CalculationFault(Reason.UNKNOWN, f"{ref} was not given", row=row, column=ref.name)
            value = self._rule_value(state, row, rule)
        return value

    def _bind(self, node: Node, entity: str) -> Bound:
        """How a node of a rule of `entity` reads rows, parameters and tables."""
        what: Any = node.value
        match node.op:
            case Op.COLUMN:
                return Bound(self._column(what, entity))
            case Op.KNOWN:
                return Bound(self._known(what, entity))
            case Op.PREVIOUS:
                return Bound(lambda context: self._previous(context, what), otherwise=node.args[0])
            case Op.PARAMETER:
                parameter = self.program.parameters[what]
                return Bound(lambda context: self._parameter(context, parameter))
            case Op.PARAMETER_AT:
                parameter = self.program.parameters[what]
                return Bound(lambda context, day: _figure_at(context, parameter, day), node.args)
            case Op.LOOKUP:
                table = self.program.tables[what]
                return Bound(lambda context, *keys: _lookup(context, table, keys), node.args)
            case Op.REFUSE:
                return Bound(lambda context: _refused(context, what))
            case Op.REACHED:
                return Bound(lambda context, day: self._first_day(context[1]) >= day, node.args)
            case Op.AGGREGATE:
                return self._bind_aggregate(node, what)
        raise TypeError(f"{node.op} cannot be worked out for a row of {entity}")

    def _bind_aggregate(self, node: Node, aggregate: Aggregate) -> Bound:
        def inner(part: Node) -> Code:
            return flatten(part, lambda deeper: self._bind(deeper, aggregate.child))

        condition = inner(node.args[1])
        value = None if aggregate.function in _SUMMARIES else inner(node.args[0])
        otherwise = node.args[2] if len(node.args) > 2 and value is not None else None

        def read(context: Context) -> Any:
            found = self._aggregate(context, aggregate, value, condition)
            if found is ABSENT and otherwise is None:
                raise CalculationFault(Reason.NO_ROWS, f"{aggregate.function} of no rows of {aggregate.child}")
            return found

        return Bound(read, otherwise=otherwise)

    def _aggregate(self, context: Context, aggregate: Aggregate, value: Code | None, condition: Code) -> Any:
        state, row = context
        self._derive(state, aggregate.child)
        members = timelines.rows_below(self.program, row, aggregate.child)
        if value is None:
            tests = [run(condition, (state, member)) for member in members]
            if aggregate.function == "count":
                return Fraction(sum(tests))
            return any(tests) if aggregate.function == "any" else all(tests)
        values = [run(value, (state, member)) for member in members if run(condition, (state, member))]
        if aggregate.function == "sum":
            return sum(values, Fraction(0))
        if not values:
            return ABSENT
        return min(values) if aggregate.function == "min" else max(values)

    def _column(self, ref: Ref, entity: str) -> Callable[[Context], Value]:
        name, own = ref.name, ref.entity == entity

        def read(context: Context) -> Value:
            state, row = context
            target = row if own else self._target(row, ref.entity)
            value = target.values.get(name)
            if value is None:
                value = self._read(state, target, ref)
            if state.reads is not None:
                state.note(ref, value, row=target)
            return value

        return read

    def _known(self, ref: Ref, entity: str) -> Callable[[Context], bool]:
        name, own = ref.name, ref.entity == entity
        declared = self.program.inputs.get(ref)
        always = declared is None or not declared.optional

        def read(context: Context) -> bool:
            state, row = context
            if not own and not self._path(row, ref.entity).leads_on(row):
                return False
            target = row if own else self._target(row, ref.entity)
            known = always or target.values.get(name) is not None
            if state.reads is not None:
                state.note(ref, known, row=target, known=True)
            return known

        return read

    def _previous(self, context: Context, ref: Ref) -> Any:
        state, row = context
        if row.previous is None:
            return ABSENT
        value = self._read(state, row.previous, ref)
        state.note(ref, value, row=row.previous)
        return value

    def _parameter(self, context: Context, parameter: Parameter) -> Value:
        state, row = context
        value = parameter.by_period[row.period]
        if state.reads is not None:
            dated = figure_on(parameter, self.program.periods[row.period].first_day)
            state.note(parameter.name, value, dated=dated)
        return value

    def _first_day(self, row: Row) -> int:
        """The first day of the nearest spell at or above the row."""
        above: Row | None = row
        while above is not None:
            if self.program.entities[above.entity].spell:
                day = above.values["first_day"]
                assert isinstance(day, int)
                return day
            above = above.parent
        raise TypeError(f"{row.entity} stands under no spell")


def evaluate(program: Program, root: Row, *, wanted: Iterable[Ref] | None = None, trace: Trace | None = None) -> dict[Ref, list[Value]]:
    """Work out the rules (or those that `wanted` needs) for one root row; `Evaluator` saves time for many.

    Values are stored in the rows; the result holds each rule's values for the rows of its entity, in order.  Raises
    CalculationFault.
    """
    return Evaluator(program, wanted).run(root, trace)


def closure(program: Program, wanted: Iterable[Ref], by_ref: Mapping[Ref, Rule]) -> set[Ref]:
    """The rules that the wanted values need, themselves included."""
    needed: set[Ref] = set()
    work: list[Ref | Node | str] = list(wanted)
    entities: set[str] = set()
    while work:
        item = work.pop()
        if isinstance(item, str):
            if item not in entities:
                entities.add(item)
                for timeline in program.entities[item].derived:
                    work.append(timeline.entity)
                    if timeline.effective is not None:
                        work.append(Ref(timeline.entity, timeline.effective))
        elif isinstance(item, Ref):
            if item in by_ref and item not in needed:
                needed.add(item)
                work += [by_ref[item].body, item.entity]
        else:
            work += item.args
            if isinstance(item.value, Ref):
                work.append(item.value)
            elif isinstance(item.value, Aggregate):
                work.append(item.value.child)
    return needed


def _figure_at(context: Context, parameter: Parameter, day: int) -> Value:
    dated = figure_on(parameter, day)
    if dated is None:
        raise CalculationFault(Reason.NO_FIGURE, f"{parameter.name} has no figure on day {day}", table=parameter.name, first_day=day)
    context[0].note(parameter.name, dated.value, dated=dated)
    return dated.value


def _refused(context: Context, why: str) -> Value:
    raise CalculationFault(Reason.REFUSED, why, row=context[1])


def _lookup(context: Context, table: Table, keys: tuple[Any, ...]) -> Value:
    state, row = context
    value = cell(table, row.period, keys)
    state.note(table.name, value, keys=keys)
    return value
