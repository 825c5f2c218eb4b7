"""The tables of a comparison: rows that know which of their figures rest on which cells, as Arrow with money as decimals."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from rbcalc.comparing.figures import NO_RESULT, TOGETHER, Beside, Studied, Tally, named, ranges, rounded
from rbcalc.errors import UsageError
from rbcalc.running.tax_base import FACTS, PLACES, tax_base
from rbcalc.running.totals import Table

if TYPE_CHECKING:
    from rbcalc.comparing.study import Option, Outcome

Key = Hashable
Found = Mapping[str, Mapping[str, Beside]]

MONEY: Final = pa.decimal128(18, 2)
KINDS: Final = {
    "words": pa.string(),
    "count": pa.int64(),
    "money": MONEY,
    "percent": pa.decimal128(18, 2),
    "dwellings": pa.decimal128(18, PLACES),
    "place": pa.int64(),
    "yes/no": pa.bool_(),
}
"""Arrow types of the kinds of columns; figures of decimal kinds come as whole numbers of their last place."""

NOT_RECORDED: Final = "not recorded"
NO_RESULT_LABEL: Final = "no result under one of the two"
ENTITLED: Final = (
    "Newly entitled covers only people whom the council knows: those with a claim on a day of the year. Nobody else who might become "
    "entitled is counted, and no figure here includes what they would cost."
)
_SIDES: Final = "Gaining includes accounts that are newly entitled, losing those no longer entitled."
_SIDES_OWED: Final = "Gaining includes accounts that are no longer charged, losing those newly charged."
HYPOTHETICAL: Final = "The figures of an option are hypothetical: they are what its rules would come to for the caseload as it stands."


def told_of(studied: Studied) -> str:
    """Whom the figures cover, as the rules say it."""
    return studied.impact.note or ENTITLED


def money(pence: Any) -> Any:
    """Whole pence as Arrow decimals."""
    whole = np.ascontiguousarray(pence, dtype=np.int64)
    wide = np.stack([whole, whole >> 63], axis=1)
    return pa.Array.from_buffers(MONEY, whole.size, [None, pa.py_buffer(np.ascontiguousarray(wide))])


def words(name: str) -> str:
    """A name of the rules as people read it."""
    return name.replace("_", " ")


@dataclass(slots=True)
class Sheet:
    """A table that is being made: the kinds of its columns, its rows, and the cells that each figure of a row rests on."""

    kinds: dict[str, str]
    note: str = ""
    rows: list[dict[str, Any]] = field(default_factory=list)
    cells: list[dict[str, tuple[Key, ...]]] = field(default_factory=list)

    def add(self, row: dict[str, Any], **cells: tuple[Key, ...]) -> None:
        """Add a row; columns without cells are published always."""
        assert row.keys() == self.kinds.keys()
        self.rows.append(row)
        self.cells.append(cells)

    def arrow(self, unpublished: Collection[Key] | None = None) -> Any:
        """The table; with a set of cells, whatever rests on one of them is left out and the row says so."""
        gone = [
            [name for name, keys in cells.items() if unpublished and not unpublished.isdisjoint(keys)]  # type: ignore[attr-defined]
            for cells in self.cells
        ]
        arrays = {}
        for name, kind in self.kinds.items():
            values = [None if name in out else row[name] for row, out in zip(self.rows, gone, strict=True)]
            arrays[name] = _array(values, kind)
        if unpublished is not None:
            arrays["suppressed"] = pa.array([bool(out) for out in gone], pa.bool_())
            arrays["suppressed_columns"] = pa.array(gone, pa.list_(pa.string()))
        table = pa.table(arrays)
        return table.replace_schema_metadata({"note": self.note}) if self.note else table


def _array(values: list[Any], kind: str) -> Any:
    type_ = KINDS[kind]
    if not pa.types.is_decimal(type_):
        return pa.array(values, type_)
    missing = np.array([value is None for value in values], bool)
    whole = money([value or 0 for value in values])
    held = pa.Array.from_buffers(type_, len(values), whole.buffers())
    return pc.if_else(pa.array(missing), pa.scalar(None, type_), held) if missing.any() else held


@dataclass(slots=True)
class Cells:
    """The names of the cells: the same for figures that are the same whatever the option, so that none is hidden in one place only."""

    studied: Studied
    found: Found

    def council(self, council: str) -> str:
        """The council itself where it is the only one."""
        return self.studied.councils[0] if council == TOGETHER and len(self.studied.councils) == 1 else council

    def paid(self, option: str, council: str) -> Key:
        """How many accounts have an amount."""
        return "accounts", option, self.council(council)

    def known(self, option: str, council: str) -> Key:
        """How many accounts are known."""
        return "known", self.found[option][council].known_as, self.council(council)

    def compared(self, option: str, council: str) -> Key:
        """How many accounts are compared; printed nowhere, but any breakdown adds up to it."""
        return "compared", self.found[option][council].population, self.council(council)

    def part(self, table: str, option: str, council: str, part: str) -> Key:
        """The accounts of one outcome or range."""
        return table, option, self.council(council), part

    def member(self, option: str, council: str, group: str, member: str, column: str) -> Key:
        """A count of one member of a group, or its amounts: the accounts and the baseline do not depend on the option."""
        same = column in ("accounts", "£ baseline")
        return "group", self.found[option][council].population if same else option, self.council(council), group, member, column

    def cost(self, option: str, council: str) -> Key:
        """The cost of an option."""
        return "£ amount", option, self.council(council)

    def change(self, option: str, council: str) -> Key:
        """What the cost changes by."""
        return "£ change", option, self.council(council)

    def moved(self, table: str, option: str, council: str, part: str) -> Key:
        """What the amounts of one outcome or range change by."""
        return f"£ {table}", option, self.council(council), part

    def singles(self, option: str) -> Key:
        """The costs of an option's single changes, which are published together or not at all."""
        return "£ singles", option


def places(studied: Studied, *, baseline: bool = False) -> Iterator[tuple[Option, str]]:
    """Each option with each council, and all together last."""
    for option in studied.options[0 if baseline else 1 :]:
        for council in (*studied.councils, TOGETHER):
            yield option, council


def costs(studied: Studied, found: Found, cells: Cells) -> Sheet:
    """The cost of each option."""
    sheet = Sheet(
        {
            **dict.fromkeys(("option", "title", "council"), "words"),
            **dict.fromkeys(("accounts", "known"), "count"),
            **dict.fromkeys(("amount", "change"), "money"),
            "change_percent": "percent",
        },
        told_of(studied),
    )
    base = studied.options[0].name
    for option, council in places(studied, baseline=True):
        one = found[option.name][council]
        change, amount = cells.change(option.name, council), cells.cost(option.name, council)
        sheet.add(
            {
                "option": option.name,
                "title": option.title,
                "council": council,
                "accounts": one.paid,
                "known": one.known,
                "amount": one.amount,
                "change": one.change,
                "change_percent": rounded(Fraction(one.change * 10_000, one.baseline)) if one.baseline else None,
            },
            accounts=(cells.paid(option.name, council),),
            known=(cells.known(option.name, council),),
            amount=(amount,),
            change=(change,),
            change_percent=(change, amount, cells.cost(base, council)),
        )
    return sheet


def outcomes(studied: Studied, found: Found, cells: Cells) -> Sheet:
    """How many accounts gain and lose."""
    sheet = Sheet(
        {
            **dict.fromkeys(("option", "council", "outcome", "label"), "words"),
            "accounts": "count",
            **dict.fromkeys(("change", "average_week"), "money"),
        },
        told_of(studied),
    )
    for option, council in places(studied):
        for outcome, tally in found[option.name][council].outcomes.items():
            count, moved = (kind("outcome", option.name, council, outcome) for kind in (cells.part, cells.moved))
            sheet.add(
                {
                    "option": option.name,
                    "council": council,
                    "outcome": named(studied.impact, outcome),
                    "label": NO_RESULT_LABEL if outcome == NO_RESULT else words(named(studied.impact, outcome)),
                    "accounts": tally.accounts,
                    "change": tally.change,
                    "average_week": _average(tally),
                },
                accounts=(count,),
                change=(moved,),
                average_week=(count, moved),
            )
    return sheet


def distribution(studied: Studied, found: Found, cells: Cells, edges: Sequence[int]) -> Sheet:
    """How many accounts gain and lose how much a week."""
    labels = {**ranges(edges), NO_RESULT: NO_RESULT_LABEL}
    sheet = Sheet(
        {**dict.fromkeys(("option", "council", "range", "label"), "words"), "accounts": "count", "change": "money"},
        "A week's change is the change of the year for seven of the days that the claim runs in it.",
    )
    for option, council in places(studied):
        for code, tally in found[option.name][council].ranges.items():
            sheet.add(
                {
                    "option": option.name,
                    "council": council,
                    "range": code,
                    "label": labels[code],
                    "accounts": tally.accounts,
                    "change": tally.change,
                },
                accounts=(cells.part("range", option.name, council, code),),
                change=(cells.moved("range", option.name, council, code),),
            )
    return sheet


def groups(studied: Studied, found: Found, cells: Cells) -> Sheet:
    """Who gains and who loses, by each of the groups."""
    sheet = Sheet(
        {
            **dict.fromkeys(("option", "council", "group", "group_title", "member", "label"), "words"),
            "accounts": "count",
            **dict.fromkeys(("baseline", "amount", "change"), "money"),
            **dict.fromkeys(("gaining", "losing", "unchanged"), "count"),
            **dict.fromkeys(("average_week", "largest_loss_week"), "money"),
        },
        f"{_SIDES_OWED if studied.impact.owed else _SIDES} Facts are the baseline's. {told_of(studied)}",
    )
    titles = {name: group.title for council in studied.councils for name, group in studied.groups[council].items()}
    for option, council in places(studied):
        for group, members in found[option.name][council].groups.items():
            for member, tally in members.items():
                if tally.accounts:
                    _add_member(sheet, cells, (option.name, council, group, member), titles[group], tally)
    return sheet


def _add_member(sheet: Sheet, cells: Cells, place: tuple[str, str, str, str], title: str, tally: Tally) -> None:
    keys = {name: (cells.member(*place, name),) for name in ("accounts", "gaining", "losing", "unchanged")}
    keys |= {name: (cells.member(*place, f"£ {name}"),) for name in ("baseline", "amount", "change")}
    option, council, group, member = place
    sheet.add(
        {
            "option": option,
            "council": council,
            "group": group,
            "group_title": title,
            "member": member,
            "label": words(member) or NOT_RECORDED,
            "accounts": tally.accounts,
            "baseline": tally.baseline,
            "amount": tally.amount,
            "change": tally.change,
            "gaining": tally.gaining,
            "losing": tally.losing,
            "unchanged": tally.unchanged,
            "average_week": _average(tally),
            "largest_loss_week": -tally.worst if tally.losing else None,
        },
        **keys,
        average_week=keys["accounts"] + keys["change"],
        largest_loss_week=keys["accounts"] + keys["losing"] + keys["change"],
    )


def _average(tally: Tally) -> int | None:
    return None if tally.average_week is None else rounded(tally.average_week)


def shares(studied: Studied, option: str, council: str) -> dict[str, int] | None:
    """What each body bears of the cost of an option, in pence; None where the study did not keep the report that says so."""
    councils = studied.councils if council == TOGETHER else (council,)
    found: dict[str, int] = {}
    for each in councils:
        outcome = studied.outcomes[option][each]
        table: Table | None = outcome.totals.get(studied.impact.split)
        if table is None:
            return None
        report = next(report for report in outcome.program.reports if report.name == studied.impact.split)
        place = report.sums.index(studied.impact.amount) if studied.impact.amount in report.sums else 0
        for keys, figures in table.items():
            pence = figures[place] * 100
            if pence.denominator != 1:
                raise UsageError("RC060", f"{report.name} is not in whole pence", hint="divide an amount that is rounded to the penny")
            found[keys[-1]] = found.get(keys[-1], 0) + int(pence)
    return found


def bodies(studied: Studied, cells: Cells) -> Sheet:
    """The cost of each option by those who bear it."""
    sheet = Sheet({**dict.fromkeys(("option", "council", "body"), "words"), **dict.fromkeys(("baseline", "amount", "change"), "money")})
    base = studied.options[0].name
    for option, council in places(studied, baseline=True):
        before, after = shares(studied, base, council), shares(studied, option.name, council)
        if before is None or after is None:
            continue
        for body in dict.fromkeys((*before, *after)):
            old, new = before.get(body, 0), after.get(body, 0)
            sheet.add(
                {"option": option.name, "council": council, "body": body, "baseline": old, "amount": new, "change": new - old},
                baseline=(cells.cost(base, council),),
                amount=(cells.cost(option.name, council),),
                change=(cells.change(option.name, council),),
            )
    return sheet


def tax_bases(studied: Studied, cells: Cells, rates: Mapping[str, Fraction]) -> Sheet:
    """The tax base under each option, of the councils whose collection rate was declared."""
    sheet = Sheet({**dict.fromkeys(("option", "council"), "words"), **dict.fromkeys(("base", "change"), "dwellings")})
    base = studied.options[0].name
    exact = {
        (option.name, council): _base(studied, studied.outcomes[option.name][council], rates[council])
        for option, council in places(studied, baseline=True)
        if council in rates and FACTS in studied.outcomes[option.name][council].totals
    }
    for option, council in places(studied, baseline=True):
        parts = studied.councils if council == TOGETHER else (council,)
        if any((option.name, part) not in exact for part in parts):
            continue
        after = sum((exact[option.name, part] for part in parts), Fraction(0))
        before = sum((exact[base, part] for part in parts), Fraction(0))
        scale = 10**PLACES
        cost, change = cells.cost(option.name, council), cells.change(option.name, council)
        sheet.add(
            {"option": option.name, "council": council, "base": rounded(after * scale), "change": rounded((after - before) * scale)},
            base=(cost, change),
            change=(cost, change),
        )
    return sheet


def _base(studied: Studied, outcome: Outcome, rate: Fraction) -> Fraction:
    return tax_base(outcome.program, outcome.council, studied.year, outcome.totals, rate).base


@dataclass(frozen=True, slots=True)
class Single:
    """A single change of an option: what it comes to alone, and what the option comes to without it, by council."""

    option: str
    change: str
    alone: Mapping[str, Outcome]
    without: Mapping[str, Outcome]


def changes(studied: Studied, found: Found, cells: Cells, singles: Sequence[Single]) -> tuple[Sheet, dict[Key, list[int]]]:
    """What each single change of an option costs alone, and what the option costs without it, against the baseline.

    Also on how many accounts the figures rest: those whose amount differs from the baseline's or the option's.
    """
    sheet = Sheet(
        {
            **dict.fromkeys(("option", "council", "change"), "words"),
            **dict.fromkeys(("alone", "together_without"), "money"),
            "order": "place",
        },
        "Alone: what the cost changes by with this change only. Together without: what it changes by with all the others. "
        "Changes that meet in one claim do not add up.",
    )
    base = studied.options[0].name
    rests: dict[Key, list[int]] = {}
    for option, council in places(studied):
        parts = studied.councils if council == TOGETHER else (council,)
        key = cells.singles(option.name)
        for order, single in enumerate((single for single in singles if single.option == option.name), 1):
            figures: dict[str, int] = {}
            for name, given in (("alone", single.alone), ("together_without", single.without)):
                amounts = [_amounts(given[part]) for part in parts]
                figures[name] = sum(int(amount.sum()) for amount in amounts) - found[base][council].amount
                for against in (base, option.name):
                    others = [_amounts(studied.outcomes[against][part]) for part in parts]
                    differ = sum(int(np.count_nonzero(mine != other)) for mine, other in zip(amounts, others, strict=True))
                    rests.setdefault(key, []).append(differ)
            sheet.add(
                {"option": option.name, "council": council, "change": single.change, **figures, "order": order},
                alone=(key,),
                together_without=(key,),
            )
    return sheet, rests


def _amounts(outcome: Outcome) -> Any:
    return np.where(outcome.rejected, 0, outcome.amount)
