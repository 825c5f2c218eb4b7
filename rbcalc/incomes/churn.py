"""Churn: a year of monthly incomes replayed on a caseload, counting reassessments, bills and letters under several options.

At the first day of each month the caseload is worked out anew with what is known by then, in bulk and by the ordinary
calculation.  What is due now is held against what was due before.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from rbcalc._years import FinancialYear
from rbcalc.caseload.choosing import known_by
from rbcalc.caseload.importing import import_caseload
from rbcalc.errors import DataError, UsageError
from rbcalc.incomes.churn_incomes import ABSENT, Incomes, Option, Pence, Replay, invented, read
from rbcalc.incomes.churn_records import Tables, first_days
from rbcalc.incomes.cliffs_model import measure_of, pounds
from rbcalc.running.run import Kernel, calculated
from rbcalc_kernels.program.graph import Ref

if TYPE_CHECKING:
    from rbcalc.caseload.model import Caseload
    from rbcalc.rulebook.rules import Council
    from rbcalc_kernels.program.library import RuleSource


@dataclass(frozen=True, slots=True)
class Churn:
    """What came of the options, as Arrow tables.

    `options`: one row each, with how many changes were acted on, how many bills changed and letters went out in the year, each also for
    a household, and what all of them pay.  `distribution`: how many households had how many changed bills.
    """

    council: str
    year: FinancialYear
    households: int
    options: Any
    distribution: Any
    invented: bool
    hypothetical: bool
    notes: tuple[str, ...] = ()

    def __repr__(self) -> str:
        """In short: the bills of each option."""
        told = "; ".join(f"{row['option']}: {row['bills']:,} bills" for row in self.options.to_pylist())
        stamp = f"{', hypothetical' if self.hypothetical else ''}{', invented incomes' if self.invented else ''}"
        return f"Churn({self.council}, {self.year}{stamp}: {self.households:,} households; {told})"


@dataclass(frozen=True, slots=True)
class _Counts:
    reassessments: Pence
    bills: Pence
    letters: Pence
    due: int


def churn(
    council: Council,
    year: str | FinancialYear,
    caseload: Any,
    *,
    incomes: Path | None = None,
    seed: int = 1,
    tolerances: Sequence[str | Fraction] = (),
    fixed_periods: Sequence[int] = (),
    scenarios: Sequence[Path | RuleSource] = (),
    charges: Sequence[Path] = (),
    threads: int = 2,
) -> Churn:
    """Replay monthly incomes on a council's caseload under each option: every change, each tolerance, each fixed period.

    `caseload` is a folder or a mapping from registers to Arrow tables, with the columns' own names.  `incomes` is a Parquet or CSV file
    with a key (whose), `month` and `amount`; without one months are made up from the recorded amounts by `seed`, and the result says so.
    Raises UsageError, RulesError, DataError.
    """
    rules, when = council.rules, FinancialYear.of(year)
    declared = measure_of(rules).churn
    program = council.program(when, tuple(scenarios), tuple(charges))
    options = [
        Option(),
        *(Option(tolerance=_tolerance(each)) for each in tolerances),
        *(Option(months=_months(each)) for each in fixed_periods),
    ]
    replays = [_replay(each) for each in declared["replays"]]
    weeks = Fraction(str(declared["weeks_of_month"]))
    root = program.root
    bill, letter = Ref(root, str(declared["bill"])), Ref(str(declared["letter"]["entity"]), str(declared["letter"]["value"]))
    tables = Tables(caseload, program)
    try:
        held = read(incomes, replays, when) if incomes is not None else _invented(tables, replays[0], declared, seed)
        tables.check(held)
        roots = tables.roots(held)
        if not roots:
            hint = f"references of {held.replay.key} are compared as text, leading zeros included"
            raise DataError("RC071", "none of the incomes belongs to anybody in the caseload", hint=hint)
        kernel = Kernel(replace(program, outputs=(bill, letter), reports=(), comparisons=()))
        found = {}
        for option in options:
            used = option.used(held, weeks)
            changed = import_caseload(tables.replayed(held, used, when), {council.name: program}, council=council.name, threads=threads)
            found[str(option)] = _counted(kernel, changed, council.name, when, held, used, roots, (bill, letter), threads)
    finally:
        tables.close()
    households = len(set(roots.values()))
    notes = []
    lost = len(held.keys) - len(roots)
    if lost:
        notes.append(f"{lost:,} keys of the incomes are not in the caseload and were left out")
    if held.invented:
        notes.append(f"the months are made up around the recorded amounts (seed {seed}); give a table of incomes for a real year")
    return Churn(
        council.name, when, households, _options(found, households), _distribution(found), held.invented, program.hypothetical, tuple(notes)
    )


def _tolerance(given: str | Fraction) -> Fraction:
    amount = given if isinstance(given, Fraction) else pounds(given)
    if amount < 0 or (amount * 100).denominator != 1:
        raise UsageError("RC071", f"no tolerance: {given}", hint="whole pence for a week, as £15")
    return amount


def _months(given: int) -> int:
    if not 1 <= given <= 12:
        raise UsageError("RC071", f"no fixed period: {given} months", hint="from 1 to 12 months")
    return given


def _replay(each: Mapping[Any, Any]) -> Replay:
    def words(name: str) -> dict[str, str]:
        return {str(key): str(value) for key, value in each.get(name, {}).items()}

    return Replay(str(each["key"]), str(each["register"]), words("columns"), words("where"), words("put"))


def _invented(tables: Tables, replay: Replay, declared: Mapping[Any, Any], seed: int) -> Incomes:
    months = {
        str(word): f"{Fraction(str(value)).numerator}.0 / {Fraction(str(value)).denominator}"
        for word, value in declared["months_of"].items()
    }
    keys, amounts = tables.recorded(replay, months, replay.columns["amount"])
    shares = [Fraction(str(declared["invented"][name]).removesuffix("%")) / 100 for name in ("months", "within")]
    return invented(keys, amounts, replay, shares[0], shares[1], seed)


def _counted(
    kernel: Kernel,
    caseload: Caseload,
    council: str,
    year: FinancialYear,
    incomes: Incomes,
    used: Mapping[str, Pence],
    roots: Mapping[str, str],
    wanted: tuple[Ref, Ref],
    threads: int,
) -> _Counts:
    """The reassessments, changed bills and letters of each household in the year, and what all pay."""
    names = list(dict.fromkeys(roots.values()))
    index = pa.array(names, pa.string())
    bills, letters = np.zeros(len(names), np.int64), np.zeros(len(names), np.int64)
    before: tuple[Pence, Pence] | None = None
    now = (np.full(len(names), ABSENT, np.int64), np.zeros(len(names), np.int64))
    for day in first_days(year):
        now = _due(kernel, known_by(caseload, kernel.program.registers, day), council, index, wanted, threads)
        if before is not None:
            there = (before[0] != ABSENT) & (now[0] != ABSENT)
            bills += there & (now[0] != before[0])
            letters += there & (now[1] != before[1])
        before = now
    return _Counts(_reassessed(incomes, used, roots, names), bills, letters, int(now[0][now[0] != ABSENT].sum()))


def _reassessed(incomes: Incomes, used: Mapping[str, Pence], roots: Mapping[str, str], names: Sequence[str]) -> Pence:
    """In how many months after the first the amounts in use of a household change."""
    moved = np.any([(held[:, 1:] != held[:, :-1]) & (held[:, :-1] != ABSENT) for held in used.values()], axis=0)
    place = {name: number for number, name in enumerate(names)}
    owners = np.array([place[roots[key]] if key in roots else len(names) for key in incomes.keys], np.int64)
    months = np.zeros((len(names) + 1, moved.shape[1]), bool)
    np.logical_or.at(months, owners, moved)
    return np.asarray(months[: len(names)].sum(axis=1), np.int64)


def _due(kernel: Kernel, caseload: Caseload, council: str, index: Any, wanted: tuple[Ref, Ref], threads: int) -> tuple[Pence, Pence]:
    """The bill, and the last of the amounts that a letter tells, of each household in pence."""
    part = calculated(kernel, caseload, council, threads)
    bill, letter = wanted
    due = np.full(len(index), ABSENT, np.int64)
    places = pc.index_in(part.bills[0], index)
    _put(due, places, part.bills[bill.name])
    told = np.zeros(len(index), np.int64)
    rows = part.details[kernel.program.entities[letter.entity].members or letter.entity]
    places = pc.index_in(rows[0], index)
    register = kernel.layout.told_apart_by(letter.entity)
    if register is None:
        _put(told, places, rows[letter.name])
        return due, told
    # Where several stand beside each other, each is told its own last amount; together they change when one of them does.
    owned = pa.table({"place": places, "key": rows[register.key], "pence": _pence(rows[letter.name])})
    strands = owned.filter(pc.is_valid(owned["place"])).group_by(["place", "key"], use_threads=False).aggregate([("pence", "last")])
    np.add.at(told, strands["place"].to_numpy(), strands["pence_last"].to_numpy())
    return due, told


def _put(into: Pence, places: Any, values: Any) -> None:
    """Put pence in their places; of several for one place the last stays."""
    there = places.is_valid()
    into[places.filter(there).to_numpy()] = _pence(values).filter(there).to_numpy()


def _pence(values: Any) -> Any:
    return pc.multiply(values.cast(pa.decimal128(18, 2)), pa.scalar(Decimal(100), pa.decimal128(3, 0))).cast(pa.int64())


def _options(found: Mapping[str, _Counts], households: int) -> Any:
    first = next(iter(found.values()))

    def mean(counts: Pence) -> float:
        return float(counts.sum()) / households if households else 0.0

    columns: dict[str, Any] = {"option": pa.array(list(found), pa.string())}
    for kind in ("reassessments", "bills", "letters"):
        held = [getattr(counts, kind) for counts in found.values()]
        columns[kind] = pa.array([int(counts.sum()) for counts in held], pa.int64())
        columns[f"{kind}_each"] = pa.array([mean(counts) for counts in held], pa.float64())
    columns["most_bills"] = pa.array([int(counts.bills.max(initial=0)) for counts in found.values()], pa.int64())
    columns["to_pay"] = pa.array([Decimal(counts.due).scaleb(-2) for counts in found.values()], pa.decimal128(18, 2))
    columns["difference"] = pa.array([Decimal(counts.due - first.due).scaleb(-2) for counts in found.values()], pa.decimal128(18, 2))
    return pa.table(columns)


def _distribution(found: Mapping[str, _Counts]) -> Any:
    rows = [
        (option, int(number), int(count))
        for option, counts in found.items()
        for number, count in zip(*np.unique(counts.bills, return_counts=True), strict=True)
    ]
    return pa.table(
        {
            "option": pa.array([row[0] for row in rows], pa.string()),
            "bills": pa.array([row[1] for row in rows], pa.int64()),
            "households": pa.array([row[2] for row in rows], pa.int64()),
        }
    )
