"""Cliffs: what households have left along an amount of income, and every edge at which a little more leaves them with less.

The edges are the rules' own.  The rules are followed exactly along the amount, from one change of any comparison, table row or
rounding to the next, so that no penny of the range is left out (`rbcalc_kernels.exact.walking`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from math import floor
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from rbcalc._show import pounds as shown_pounds
from rbcalc._years import FinancialYear
from rbcalc.errors import DataError, UsageError
from rbcalc.incomes.cliffs_edges import Course, Edge, Finder
from rbcalc.incomes.cliffs_model import Amount, Household, Measure, fact_of, households_of, measure_of, pounds
from rbcalc_kernels.exact.faults import CalculationFault
from rbcalc_kernels.exact.walking import Moved, TooManyStretchesError, Walker
from rbcalc_kernels.program.graph import Input, Program, Ref

if TYPE_CHECKING:
    from rbcalc.rulebook.rules import Council
    from rbcalc_kernels.program.library import RuleSource

LONGEST: Final = 10_000_000
"""The most steps of an amount that are followed."""


@dataclass(slots=True)
class Cliffs:
    """What was found, as Arrow tables.

    `edges`: one row for each edge with what it costs.  `stretches`: the rate at which a pound more is taken, from amount to amount.
    `curve`: income, cost and what is left for the week, at both ends of each stretch; straight in between, roundings apart.
    """

    council: str
    year: FinancialYear
    varied: tuple[str, ...]
    edges: Any
    stretches: Any
    curve: Any
    hypothetical: bool = False
    notes: tuple[str, ...] = ()
    provisional: tuple[str, ...] = ()
    courses: dict[str, Course] = field(default_factory=dict, repr=False)

    @property
    def tables(self) -> dict[str, Any]:
        """The three tables by name, as they may be published: counts of people below five are not told."""
        import pyarrow as pa

        edges = self.edges
        if "close_below" in edges.column_names:
            place = edges.column_names.index("close_below")
            told = [published(count) for count in edges["close_below"].to_pylist()]
            edges = edges.set_column(place, "close_below", pa.array(told, pa.string()))
        return {"edges": edges, "stretches": self.stretches, "curve": self.curve}

    def write(self, folder: Path) -> list[Path]:
        """Write the tables, as they may be published, as Parquet files into a folder.  Raises OutputError."""
        import pyarrow.parquet as pq

        from rbcalc.errors import OutputError

        written = []
        stamp = {"council": self.council, "year": str(self.year), "hypothetical": "yes" if self.hypothetical else "no"}
        try:
            folder.mkdir(parents=True, exist_ok=True)
            for name, table in self.tables.items():
                path = folder / f"{name}.parquet"
                pq.write_table(table.replace_schema_metadata(stamp), path)
                written.append(path)
        except OSError as error:
            hint = "choose a folder that exists and that you may write to"
            raise OutputError("RC049", f"cannot write into {folder} ({error.strerror})", hint=hint) from error
        return written

    def __repr__(self) -> str:
        """In short: how many edges, and how many of them take more than a pound."""
        worse = sum(self.edges["costs_more"].to_pylist())
        stamp = ", hypothetical" if self.hypothetical else ""
        return (
            f"Cliffs({self.council}, {self.year}{stamp}: {len(self.courses)} households, {self.edges.num_rows:,} edges,"
            f" at {worse:,} of them a pound more costs more than a pound)"
        )


def cliffs(
    council: Council,
    year: str | FinancialYear,
    *,
    scenarios: Sequence[Path | RuleSource] = (),
    charges: Sequence[Path] = (),
    household: Path | None = None,
    names: Sequence[str] = (),
    vary: str = "",
    first: str | Fraction = "£0",
    last: str | Fraction | None = None,
    caseload: Any = None,
    column_map: Path | None = None,
    threads: int = 2,
) -> Cliffs:
    """The edges of a council's scheme for households along an amount of their income.

    `household` is a file of cases (otherwise the typical households of the rules), of which `names` chooses some; the amount is that of
    the first record of the register `vary` names (`register.column`), from `first` to `last`.  With `caseload` (a folder, tables, or an
    imported one), how many of it stand close below each edge.  Raises UsageError, RulesError, DataError.
    """
    rules, when = council.rules, FinancialYear.of(year)
    measure = measure_of(rules)
    program = council.program(when, tuple(scenarios), (*charges, measure.rules))
    chosen, assumed = households_of(rules, measure, program, household, names)
    asked = _asked(program, measure, vary)
    ends = pounds(first), None if last is None else pounds(last)
    amounts = {each.name: asked or each.varied or measure.varied for each in chosen}
    courses = {each.name: _course(program, measure, each, amounts[each.name], ends, own=asked is None) for each in chosen}
    counts: dict[tuple[str, int], int] = {}
    if caseload is not None:
        from rbcalc.incomes.cliffs_caseload import near

        counts = near(program, council.name, measure, courses, caseload, column_map, threads)
    refused = [
        f"{name}: refused from {shown_pounds(slope.first)} to {shown_pounds(slope.last)}: {slope.refused}"
        for name, course in courses.items()
        for slope in course.slopes
        if slope.refused
    ]
    told = [f"{each.name}: {moved.register}.{moved.column} moves with the amount" for each in chosen if not asked for moved in each.moves]
    notes = [*refused, *assumed, *told, "income is as recorded, earnings after tax; what other benefits would become is not worked out"]
    return Cliffs(
        council.name,
        when,
        tuple(dict.fromkeys(map(str, amounts.values()))),
        _edges(courses, amounts, counts, when, counted=caseload is not None),
        _stretches(courses),
        _curve(courses),
        program.hypothetical,
        tuple(notes),
        program.provisional,
        courses,
    )


def _asked(program: Program, measure: Measure, vary: str) -> Amount | None:
    """The amount that was asked for.  Raises UsageError when there is none such."""
    if not vary:
        return None
    register, _, column = vary.partition(".")
    fact_of(program, register, column)
    return Amount(register, column, measure.varied.last)


def _steps(fact: Input, first: Fraction, last: Fraction) -> tuple[int, int]:
    """The range of the amount in its own steps.  Raises UsageError."""
    if not fact.low <= first <= last <= fact.high:
        hint = f"{fact.title} is from £{float(fact.low):,.2f} to £{float(fact.high):,.2f}, and the first amount is not above the last"
        raise UsageError("RC070", f"no range of amounts: £{float(first):,.2f} to £{float(last):,.2f}", hint=hint)
    if (last - first) / fact.step > LONGEST:
        raise UsageError("RC070", "the range of amounts is too wide", hint=f"at most {LONGEST:,} steps of £{float(fact.step):.2f}")
    return int(first / fact.step), int(last / fact.step)


def _course(
    program: Program, measure: Measure, household: Household, amount: Amount, ends: tuple[Fraction, Fraction | None], *, own: bool
) -> Course:
    fact = fact_of(program, amount.register, amount.column)
    steps = _steps(fact, ends[0], amount.last if ends[1] is None else ends[1])
    records = household.records
    if not records.get(fact.table):
        raise UsageError(
            "RC070",
            f"{household.name}: no record of {fact.table} holds an amount that could move",
            hint=f"add a record of {fact.table} to the household, or choose another amount with --vary",
        )
    root = program.root
    income, cost = Ref(root, measure.income), Ref(root, measure.cost)
    try:
        walker = Walker(program, records, [Moved(fact.table, 0, fact.column), *(household.moves if own else ())], fact.step, (income, cost))
        return Finder(program, walker, income, cost).course(*steps)
    except CalculationFault as fault:
        raise DataError("RC070", f"the household cannot be worked out: {fault}", household.name, "record what is missing") from fault
    except TooManyStretchesError as error:
        hint = f"look at {error.rule.name if error.rule else 'its rules'}, or ask for a shorter range with --from and --to"
        raise UsageError("RC070", f"{household.name}: the figures change at nearly every penny", hint=hint) from error
    except ValueError as error:
        hint = "the record holds on no day of the year, or the days of its rows rest on the amount; choose another amount with --vary"
        raise UsageError("RC070", f"{household.name}: {fact.table}.{fact.column} cannot be followed ({error})", hint=hint) from error


def published(count: int | None) -> str:
    """A count of people as it may be published: below five it is not told."""
    return "" if count is None else "0" if count == 0 else "<5" if count < 5 else f"{count:,}"


def pence(value: Fraction) -> Any:
    """An amount as a decimal, to the penny, half up."""
    from decimal import Decimal

    return Decimal(floor(value * 100 + Fraction(1, 2))).scaleb(-2)


def _edges(
    courses: dict[str, Course], amounts: dict[str, Amount], counts: dict[tuple[str, int], int], when: FinancialYear, *, counted: bool
) -> Any:
    import pyarrow as pa

    money = pa.decimal128(18, 2)
    rows: list[tuple[str, int, Edge]] = [(name, place, edge) for name, course in courses.items() for place, edge in enumerate(course.edges)]
    texts = {
        "rule": [edge.mark.rule.name if edge.mark.rule is not None else "" for *_, edge in rows],
        "what": [edge.mark.title for *_, edge in rows],
        "change": [edge.mark.change for *_, edge in rows],
        "source": [edge.mark.source + (" (provisional)" if edge.mark.provisional else "") for *_, edge in rows],
        "kind": ["rounding" if edge.rounding else "edge" for *_, edge in rows],
    }
    columns: dict[str, Any] = {
        "household": pa.array([name for name, *_ in rows], pa.string()),
        "varied": pa.array([str(amounts[name]) for name, *_ in rows], pa.string()),
        "amount": pa.array([pence(edge.below) for *_, edge in rows], money),
        "lost_a_week": pa.array([pence(edge.loss) for *_, edge in rows], money),
        "lost_a_year": pa.array([pence(edge.loss * when.days / 7) for *_, edge in rows], money),
        "costs_more": pa.array([edge.pound > 0 for *_, edge in rows], pa.bool_()),
        "needed_to_be_back": pa.array([None if edge.back is None else pence(edge.back) for *_, edge in rows], money),
        **{name: pa.array(values, pa.string()) for name, values in texts.items()},
    }
    if counted:
        columns["close_below"] = pa.array([counts.get((name, place)) for name, place, _ in rows], pa.int64())
    return pa.table(columns)


def _stretches(courses: dict[str, Course]) -> Any:
    import pyarrow as pa

    money = pa.decimal128(18, 2)
    rows = [(name, slope) for name, course in courses.items() for slope in course.slopes]
    return pa.table(
        {
            "household": pa.array([name for name, _ in rows], pa.string()),
            "from": pa.array([pence(slope.first) for _, slope in rows], money),
            "to": pa.array([pence(slope.last) for _, slope in rows], money),
            "deduction_rate": pa.array([None if slope.rate is None else float(slope.rate) for _, slope in rows], pa.float64()),
            "refused": pa.array([slope.refused for _, slope in rows], pa.string()),
        }
    )


def _curve(courses: dict[str, Course]) -> Any:
    import pyarrow as pa

    money = pa.decimal128(18, 2)
    rows: list[tuple[str, Fraction, Fraction, Fraction]] = []
    for name, course in courses.items():
        for slope in course.slopes:
            if slope.income is not None and slope.cost is not None:
                ends = zip((slope.first, slope.last), slope.income, slope.cost, strict=True)
                rows += [(name, *end) for end in dict.fromkeys(ends)]
    return pa.table(
        {
            "household": pa.array([name for name, *_ in rows], pa.string()),
            "amount": pa.array([pence(amount) for _, amount, *_ in rows], money),
            "income": pa.array([pence(income) for *_, income, _ in rows], money),
            "cost": pa.array([pence(cost) for *_, cost in rows], money),
            "left": pa.array([pence(income - cost) for *_, income, cost in rows], money),
        }
    )
