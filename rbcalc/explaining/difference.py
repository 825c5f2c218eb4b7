"""Why a figure of the year differs from that of another year: the difference, divided by steps that the rules declare.

The account is worked out with everything of the first year, then with one step after another taken from the second: the days, then the
rules of each step with the figures and facts that they read.  What each exchange adds is that step's part, so that the parts add
up exactly.  Another order would divide a difference otherwise where steps act on each other.

Days of the two years go together by month and day.  A rule that is of one year asks for that year's dates; how many days are counted is a
step of its own.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Final

from rbcalc._show import amount
from rbcalc._years import FinancialYear
from rbcalc.errors import DataError, UsageError
from rbcalc.explaining.change import Change, Records, signed
from rbcalc.explaining.explain import told_fault
from rbcalc_kernels.exact.evaluator import Evaluator
from rbcalc_kernels.exact.faults import CalculationFault, Reason
from rbcalc_kernels.exact.rows import Row
from rbcalc_kernels.exact.spells import build
from rbcalc_kernels.language.types import DATE, YES_NO
from rbcalc_kernels.program.graph import Aggregate, Difference, Node, Op, Parameter, Period, Program, Ref, Rule, Table, Value
from rbcalc_kernels.program.ordering import ordered
from rbcalc_kernels.source import Findings

OTHER: Final = "The rest"
ROUNDING: Final = "Rounding, where the days of the two years were divided to be put beside each other"
LEAP: Final = 334
"""The place of 29 February in a year that begins in April."""


@dataclass(frozen=True, slots=True)
class Given:
    """An account in a year: its program, the records with those gathered with it, and which of them it is.

    `names` are the references of accounts where the records have numbers in their place.
    """

    program: Program
    records: Records
    which: str = ""
    names: Mapping[str, str] = field(default_factory=dict)


def explain_difference(before: Given, after: Given) -> Change:
    """The difference of a figure between two years.

    Raises DataError when an account cannot be worked out, UsageError when the rules do not say what is divided.
    """
    declared = next(iter(after.program.differences), None)
    if declared is None:
        hint = "declare it under differences: in a rule file"
        raise UsageError("RC046", "there is no figure whose difference could be explained", hint=hint)
    years = [_Year(given, declared, place) for place, given in enumerate((before, after))]
    first, second = (year.value for year in years)
    steps = [declared.days, *(title for title, _ in declared.steps), OTHER]
    type_ = after.program.rule(declared.figure.entity, declared.figure.name).type
    if years[0].own is None or years[1].own is None:
        parts = [("There was none before" if years[0].own is None else "It has ended", second - first)]
    else:
        parts = list(_parts(declared, years, steps, second - first))
    told = tuple((cause, part, signed(part, type_)) for cause, part in parts if part)
    old, new = ((str(FinancialYear.containing(year.program.last_day)), amount(year.value, type_)) for year in years)
    return Change(declared.title, str(type_), old, new, second - first, told, tuple(steps), signed(second - first, type_))


def _parts(declared: Difference, years: Sequence[_Year], steps: Sequence[str], difference: Fraction) -> Iterator[tuple[str, Fraction]]:
    places = _Places(declared, [year.program for year in years])
    value = _Mixture(declared, years, places, 0).value()
    waiting: list[str] = []
    spent = Fraction(0)
    for exchanged, step in enumerate(steps, 1):
        waiting.append(step)
        now = _Mixture(declared, years, places, exchanged).value()
        if now is None:
            continue  # cannot be worked out with this alone: it counts together with the next
        if value is not None:
            yield " and ".join(waiting), now - value
            spent += now - value
        value, waiting = now, []
    yield ROUNDING, difference - spent


class _Year:
    """An account in one of the years, worked out."""

    def __init__(self, given: Given, declared: Difference, place: int) -> None:
        self.program, self.place = given.program, place
        self.top: Row | None = None
        try:
            self.top = build(given.program, given.records)
            Evaluator(given.program, [declared.figure]).run(self.top)
        except CalculationFault as fault:
            if fault.reason != Reason.OUTSIDE_YEAR:
                hint = "correct the records, or record what is missing"
                which = given.names.get(given.which, given.which)
                raise DataError("RC046", f"the account cannot be worked out: {told_fault(fault)}", which, hint) from fault
            self.top = None
        self.accounts: dict[str, Row] = {}
        for row in self._accounts():
            self.accounts[given.names.get(row.key, row.key)] = row
        which = given.names.get(given.which, given.which)
        self.own_key = which or next(iter(self.accounts), "")
        self.own = self.accounts.get(self.own_key)
        self.value = Fraction(self.own.values[declared.figure.name] or 0) if self.own is not None else Fraction(0)

    def _accounts(self) -> list[Row]:
        if self.top is None:
            return []
        return self.top.children[self.program.root] if self.program.gathering is not None else [self.top]

    def day_at(self, place: int) -> int:
        """The day of the year at a place; that before 29 February for a year without one."""
        if self.program.last_day - self.program.first_day == 365:
            return self.program.first_day + place
        return self.program.first_day + (place if place < LEAP else place - 1)

    def day_from(self, place: int) -> int:
        """The same, but the day after 29 February for a year without one."""
        return self.day_at(place + 1 if place == LEAP and self.program.last_day - self.program.first_day == 364 else place)

    def place_of(self, day: int) -> int:
        """The place of a day in a year with 29 February."""
        place = day - self.program.first_day
        return place + 1 if place >= LEAP and self.program.last_day - self.program.first_day == 364 else place


class _Places:
    """To which step each rule and each fact belongs: 0 are the days, then the declared steps, and the rest."""

    def __init__(self, declared: Difference, programs: Sequence[Program]) -> None:
        self.rest = len(declared.steps) + 1
        self.rules: dict[Ref, int] = {}
        self.facts: dict[Ref, int] = {}
        named = {ref: place for place, (_, values) in enumerate(declared.steps, 1) for ref in values}
        wanted = [*((place, values) for place, (_, values) in enumerate(declared.steps, 1)), (self.rest, (declared.figure,))]
        for program in programs:
            by_ref = {Ref(rule.entity, rule.name): rule for rule in program.rules}
            seen: dict[Ref, int] = {}
            for place, values in wanted:
                self._reach(place, values, by_ref, named, seen)
            for ref, place in seen.items():
                held = self.rules if ref in by_ref else self.facts
                held[ref] = min(place, held.get(ref, place))

    @staticmethod
    def _reach(place: int, values: Sequence[Ref], by_ref: Mapping[Ref, Rule], named: Mapping[Ref, int], seen: dict[Ref, int]) -> None:
        work = list(values)
        while work:
            ref = work.pop()
            if ref in seen or named.get(ref, place) != place:
                continue
            seen[ref] = place
            if ref in by_ref:
                work += [node.value for node in _nodes(by_ref[ref].body) if isinstance(node.value, Ref)]


def _nodes(node: Node) -> Iterator[Node]:
    waiting = [node]
    while waiting:
        part = waiting.pop()
        yield part
        waiting += part.args


class _Mixture:
    """An account with the first so many steps of the second year, and the others of the first."""

    def __init__(self, declared: Difference, years: Sequence[_Year], places: _Places, exchanged: int) -> None:
        self.declared, self.years, self.places, self.exchanged = declared, years, places, exchanged
        self.periods: dict[tuple[int, int], int] = {}

    def _of(self, step: int) -> int:
        """Of which year a step is."""
        return 1 if step < self.exchanged else 0

    def value(self) -> Fraction | None:
        """The figure; None where the mixture cannot be worked out."""
        top, own = self._rows()
        if own is None:
            return Fraction(0)
        program = self._program()
        if program is None:
            return None
        try:
            Evaluator(program, [self.declared.figure]).run(top)
        except (CalculationFault, KeyError):
            return None
        return Fraction(own.values[self.declared.figure.name] or 0)

    # --------------------------------------------------------------------------------------------------------- rows
    def _rows(self) -> tuple[Row, Row | None]:
        """The rows of the accounts on the days of one year, with facts of both."""
        self._period(0, 0)
        days, other = self.years[self._of(0)], self.years[1 - self._of(0)]
        program = days.program
        top = Row(program.gathering or program.root, {})
        own: Row | None = None
        before: Row | None = None
        for key, row in days.accounts.items():
            beside = other.accounts.get(key)
            made = Row(row.entity, self._facts(days, row, beside), key=row.key)
            if program.gathering is not None:
                made.parent, made.previous = top, before if program.entities[row.entity].ordered else None
                top.children.setdefault(row.entity, []).append(made)
            else:
                top = made
            for name, spells in row.children.items():
                made.children[name] = self._spells(days, other, made, (spells, beside.children.get(name, []) if beside is not None else []))
            own = made if key == days.own_key else own
            before = made
        return top, own

    def _facts(self, days: _Year, row: Row, beside: Row | None) -> dict[str, Value | None]:
        """The facts of a row, each of the year that its step is of; where the other year has no such row, of the one that has."""
        facts: dict[str, Value | None] = {}
        for name, value in row.values.items():
            ref = Ref(row.entity, name)
            if ref in days.program.inputs:
                same = self._of(self.places.facts.get(ref, self.places.rest)) == days.place
                facts[name] = value if same or beside is None else beside.values.get(name, value)
        return facts

    def _spells(self, days: _Year, other: _Year, parent: Row, held: tuple[Sequence[Row], Sequence[Row]]) -> list[Row]:
        """Rows of a spell, cut where those of the other year are cut too."""
        mine, theirs = held
        starts = [other.place_of(int(row.values["first_day"])) for row in theirs]  # type: ignore[arg-type]
        ends = [other.place_of(int(row.values["last_day"])) for row in theirs]  # type: ignore[arg-type]
        made: list[Row] = []
        for row in mine:
            first, last = (int(row.values[name]) for name in ("first_day", "last_day"))  # type: ignore[arg-type]
            edges = {day for place in (*starts, *(end + 1 for end in ends)) if first < (day := days.day_from(place)) <= last}
            begins = sorted({first, *edges})
            for begin, end in zip(begins, [*(day - 1 for day in begins[1:]), last], strict=True):
                at = days.place_of(begin)
                n = bisect_right(starts, at) - 1
                there = n >= 0 and (at <= ends[n] or (at == LEAP and ends[n] == LEAP - 1))
                beside = theirs[n] if there else None
                spell = Row(row.entity, self._facts(days, row, beside), parent=parent, previous=made[-1] if made else None)
                spans = {days.place: (begin, end), other.place: (other.day_at(at), other.day_at(days.place_of(end)))}
                spell.values |= {"first_day": begin, "last_day": end, "days": Fraction(end - begin + 1)}
                for year, (one, two) in spans.items():
                    spell.values |= {f"first_day@{year}": one, f"last_day@{year}": two}
                spell.period = self._period(*(_period(self.years[year].program, spans[year][0]) for year in (0, 1)))
                made.append(spell)
        return made

    def _period(self, first: int, second: int) -> int:
        return self.periods.setdefault((first, second), len(self.periods))

    # -------------------------------------------------------------------------------------------------------- rules
    def _program(self) -> Program | None:
        """The rules of both years put together; None where they need each other in a circle."""
        programs = [year.program for year in self.years]
        by_ref = [{Ref(rule.entity, rule.name): rule for rule in program.rules} for program in programs]
        rules: list[Rule] = []
        for ref in dict.fromkeys((*by_ref[0], *by_ref[1])):
            for year in (0, 1):
                hidden = ref in by_ref[year] and by_ref[year][ref].hidden
                if hidden or self._year_of(ref, by_ref) == year:
                    rules.append(self._written(by_ref[year][ref], year, by_ref[year]))
        findings = Findings()
        entities = programs[self._of(0)].entities
        in_order = ordered(rules, entities, findings)
        if findings:
            return None
        parameters: dict[str, Parameter] = {}
        tables: dict[str, Table] = {}
        for year, program in enumerate(programs):
            chosen = [pair[year] for pair in self.periods]
            for name, figure in program.parameters.items():
                parameters[f"{name}@{year}"] = replace(figure, by_period=tuple(figure.by_period[place] for place in chosen))
            for name, table in program.tables.items():
                tables[f"{name}@{year}"] = replace(table, by_period=tuple(table.by_period[place] for place in chosen))
        periods = tuple(Period(programs[0].first_day, programs[1].last_day) for _ in self.periods)
        base = programs[self._of(0)]
        return replace(base, rules=tuple(in_order), parameters=parameters, tables=tables, periods=periods, cuts=(), reports=())

    def _year_of(self, ref: Ref, by_ref: Sequence[Mapping[Ref, Rule]]) -> int:
        """Of which year a rule is; where that year has none of the name, it is the other's."""
        year = self._of(self.places.rules.get(ref, self.places.rest))
        return year if ref in by_ref[year] and not by_ref[year][ref].hidden else 1 - year

    def _written(self, rule: Rule, year: int, by_ref: Mapping[Ref, Rule]) -> Rule:
        """A rule whose figures and dates are those of its year, and whose count of days is that of the days' step."""
        name = f"{rule.name}@{year}" if rule.hidden else rule.name
        return replace(rule, name=name, body=self._body(rule.body, rule.entity, year, by_ref), cases=(), rounding=None)

    def _body(self, node: Node, entity: str, year: int, by_ref: Mapping[Ref, Rule]) -> Node:
        inside = node.value.child if isinstance(node.value, Aggregate) else entity
        args = [self._body(arg, inside if place < 2 else entity, year, by_ref) for place, arg in enumerate(node.args)]
        value = node.value
        if node.op is Op.REACHED:
            day = Node(Op.COLUMN, DATE, (), Ref(self._spell(entity), f"first_day@{year}"))
            return Node(Op.GE, YES_NO, (day, *args), None, node.span)
        if node.op in (Op.PARAMETER, Op.PARAMETER_AT, Op.LOOKUP):
            value = f"{value}@{self._of(0) if value == 'days_in_year' else year}"
        elif isinstance(value, Ref):
            own = value in by_ref and by_ref[value].hidden
            if own or value.name in ("first_day", "last_day"):
                value = Ref(value.entity, f"{value.name}@{year}")
        return replace(node, args=tuple(args), value=value)

    def _spell(self, entity: str) -> str:
        """The spell that a row of an entity is, or stands under."""
        entities = self.years[0].program.entities
        return next(name for name in (entity, *self.years[0].program.ancestors(entity)) if entities[name].spell)


def _period(program: Program, day: int) -> int:
    """The parameter period of a day; the first for one before them."""
    return max(0, bisect_right([period.first_day for period in program.periods], day) - 1)
