"""Options beside the baseline: cost, who gains and who loses, by council, by group and by those who bear the cost."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from html import escape
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa

from rbcalc.comparing import tables
from rbcalc.comparing.checks import checks
from rbcalc.comparing.figures import EDGES, OUTCOMES, TOGETHER, Cases, Studied, beside, cases, named, weekly
from rbcalc.comparing.publish import unpublished
from rbcalc.comparing.suppression import THRESHOLD
from rbcalc.comparing.tables import HYPOTHETICAL, Cells, Found, Key, Sheet, Single, money, told_of
from rbcalc.errors import UsageError

if TYPE_CHECKING:
    from rbcalc._years import FinancialYear
    from rbcalc.comparing.study import Group, Option, Outcome
    from rbcalc_kernels.program.graph import Impact

__all__ = ["Comparison", "Published", "Single", "compare", "comparison"]

NAMES: Final = ("costs", "outcomes", "distribution", "groups", "bodies", "changes", "tax_base", "checks")
_SHOWN: Final = 12
_APART: Final = "they are told apart and stand in no group."


class Published:
    """The tables of a comparison, by name, as Arrow: each row stands for an option and a council, '' being all together.

    `costs`, `outcomes`, `distribution`, `groups`, `bodies`, `changes`, `tax_base`, `checks`.  Money is in pounds as decimals.
    `notes` belong beside the tables wherever they are shown.  Where counts are suppressed, a table has two columns more:
    `suppressed`, and `suppressed_columns`, which tells a figure that is held back from one that does not exist.
    """

    def __init__(self, made: Mapping[str, Any], title: str, notes: Sequence[str]) -> None:
        """Hold the tables."""
        self.tables: dict[str, Any] = dict(made)
        self.title, self.notes = title, tuple(notes)

    def __getattr__(self, name: str) -> Any:
        """A table by its name."""
        if name in NAMES and name in self.__dict__.get("tables", {}):
            return self.tables[name]
        message = f"{type(self).__name__} has no table or attribute '{name}'"
        raise AttributeError(message)

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *NAMES})

    @property
    def holds(self) -> bool:
        """Whether all that must add up does."""
        return all(self.tables["checks"]["holds"].to_pylist())

    def __repr__(self) -> str:
        rows = self.tables["costs"].to_pylist()
        together = [row for row in rows if row["council"] == TOGETHER]
        shown = ", ".join(f"{row['option']} {_pounds(row['amount'])}" for row in together[:4])
        more = f", and {len(together) - 4} more" if len(together) > 4 else ""
        return f"{type(self).__name__}({self.title}: {shown}{more})"

    def _repr_html_(self) -> str:
        """The costs and the outcomes as HTML, for notebooks."""
        shown = [_html(name, self.tables[name]) for name in ("costs", "outcomes")]
        return "\n".join([f"<p>{escape(self.title)}</p>", *shown, *(f"<p>{escape(note)}</p>" for note in self.notes)])


class Comparison(Published):
    """Options beside the baseline, with every account: what may be published is `publishable()`."""

    def __init__(
        self,
        studied: Studied,
        *,
        alone: Sequence[Single] | None = None,
        collection_rates: Mapping[str, Fraction] | None = None,
        edges: Sequence[int] = EDGES,
    ) -> None:
        """Compare the options of a study with its first."""
        self.studied = studied
        self._found = beside(studied, edges)
        self._cells = Cells(studied, self._found)
        self._sheets, self._rests = _sheets(studied, self._found, self._cells, alone or (), collection_rates or {}, edges)
        notes = [f"{option.title}: {told}" for option in studied.options for told in studied.warnings.get(option.name, ())]
        notes.append(told_of(studied))
        if any(option.hypothetical for option in studied.options):
            notes.append(HYPOTHETICAL)
        self._left = _without_result(studied)
        if self._left:
            notes.append(f"{self._left:,} accounts have no result under one of the sets of rules; {_APART}")
        names = ", ".join(studied.councils)
        super().__init__(
            {name: sheet.arrow() for name, sheet in self._sheets.items()}, f"{studied.impact.title} {studied.year}: {names}", notes
        )

    @property
    def cases(self) -> Any:
        """Each account under each option, with its groups, as an Arrow table.  Restricted: it tells of single households."""
        return _cases(self.studied, self._chosen())

    def cases_of(self, option: str) -> Any:
        """The accounts under one option.  Restricted.  Raises UsageError where there is no such option."""
        return _cases(self.studied, self._chosen(self._option(option)))

    def largest(self, option: str, n: int = 20) -> Any:
        """The accounts that lose most a week under an option, the greatest loss first.  Restricted.  Raises UsageError."""
        losers = []
        for name, council, found in self._chosen(self._option(option)):
            losers.append((name, council, _some(found, np.flatnonzero(found.gain < 0))))
        order = np.lexsort([np.concatenate(each) for each in zip(*[_sizes(found) for _, _, found in losers], strict=True)])
        return _cases(self.studied, losers).take(pa.array(order[:n]))

    def publishable(self, threshold: int = THRESHOLD) -> Published:
        """The tables without figures that rest on fewer accounts than the threshold, or that would give such a figure away."""
        gone = unpublished(self.studied, self._found, self._cells, self._rests, threshold)
        note = f"Counts under {threshold} are not shown, nor are figures from which they could be worked out. A count of none is shown."
        notes = list(self.notes)
        if self._left:
            notes[-1] = f"Some accounts have no result under one of the sets of rules; {_APART}"
        return Published({name: sheet.arrow(gone) for name, sheet in self._sheets.items()}, self.title, (*notes, note))

    def _option(self, name: str) -> str:
        known = [option.name for option in self.studied.options[1:]]
        if name not in known:
            raise UsageError("RC060", f"no such option: {name}", hint=f"options there are: {', '.join(known)}")
        return name

    def _chosen(self, only: str = "") -> Iterator[tuple[str, str, Cases]]:
        for option, council in tables.places(self.studied):
            if council != TOGETHER and only in ("", option.name):
                yield option.name, council, cases(self.studied, option.name, council)[0]


def comparison(
    study: Studied,
    *,
    alone: Sequence[Single] | None = None,
    collection_rates: Mapping[str, Fraction] | None = None,
    edges: Sequence[int] = EDGES,
) -> Comparison:
    """The options of a study beside its baseline.

    `alone` are single changes of the options; `collection_rates`, by council, give the tax base as well.  `edges` divide the
    distribution, in pence a week.  Raises UsageError.
    """
    return Comparison(study, alone=alone, collection_rates=collection_rates, edges=edges)


@dataclass(slots=True)
class _Given:
    """What a comparison reads of a study, put together from outcomes."""

    year: FinancialYear
    councils: tuple[str, ...]
    impact: Impact
    accounts: dict[str, Any]
    options: list[Option]
    outcomes: dict[str, dict[str, Outcome]]
    groups: dict[str, dict[str, Group]] = field(default_factory=dict)
    warnings: dict[str, tuple[str, ...]] = field(default_factory=dict)


def compare(
    baseline: Mapping[str, Outcome],
    *others: Mapping[str, Outcome],
    year: FinancialYear,
    impact: Impact,
    accounts: Mapping[str, Any],
    groups: Mapping[str, Mapping[str, Group]] | None = None,
    collection_rates: Mapping[str, Fraction] | None = None,
) -> Comparison:
    """Outcomes by council beside a baseline's, for the same accounts in the same order.

    `accounts` are their references and `groups` what they fall into, by council.  Raises UsageError where the outcomes are not of the
    same councils and accounts, or two have one name.
    """
    councils = tuple(baseline)
    found: dict[str, dict[str, Outcome]] = {}
    options: list[Option] = []
    for each in (baseline, *others):
        option = next(iter(each.values())).option
        sizes = {name: len(outcome.amount) for name, outcome in each.items()}
        if sizes != {name: len(accounts[name]) for name in councils}:
            raise UsageError("RC060", f"{option.name} is not of the same councils and accounts", hint="compare runs of one caseload")
        if option.name in found:
            raise UsageError("RC060", f"two options are called {option.name}", hint="give them different names")
        found[option.name] = dict(each)
        options.append(option)
    held = {name: dict((groups or {}).get(name, {})) for name in councils}
    return Comparison(_Given(year, councils, impact, dict(accounts), options, found, held), collection_rates=collection_rates)


def _sheets(
    studied: Studied, found: Found, cells: Cells, alone: Sequence[Single], rates: Mapping[str, Fraction], edges: Sequence[int]
) -> tuple[dict[str, Sheet], dict[Key, list[int]]]:
    changes, rests = tables.changes(studied, found, cells, alone)
    return {
        "costs": tables.costs(studied, found, cells),
        "outcomes": tables.outcomes(studied, found, cells),
        "distribution": tables.distribution(studied, found, cells, edges),
        "groups": tables.groups(studied, found, cells),
        "bodies": tables.bodies(studied, cells),
        "changes": changes,
        "tax_base": tables.tax_bases(studied, cells, rates),
        "checks": checks(studied, found, cells),
    }, rests


def _without_result(studied: Studied) -> int:
    """How many accounts have a result under one option and none under another."""
    count = 0
    for council in studied.councils:
        rejected = np.array([studied.outcomes[option.name][council].rejected for option in studied.options])
        count += int(np.count_nonzero(rejected.any(axis=0) & ~rejected.all(axis=0)))
    return count


def _some(found: Cases, rows: Any) -> Cases:
    return Cases(found.places[rows], found.baseline[rows], found.amount[rows], found.days[rows], found.outcome[rows], found.owed)


def _sizes(found: Cases) -> tuple[Any, Any]:
    """What each account gains in the year and in a week."""
    return found.gain, weekly(found.gain, found.days)


def _cases(studied: Studied, chosen: Any) -> Any:
    parts = []
    for option, council, found in chosen:
        count = len(found.places)
        columns: dict[str, Any] = {
            "option": _repeated(option, count),
            "council": _repeated(council, count),
            "account": pa.array(studied.accounts[council]).take(pa.array(found.places)).cast(pa.string()),
            "baseline": money(found.baseline),
            "amount": money(found.amount),
            "change": money(found.change),
            "week": money(found.week),
            "outcome": _dictionary(found.outcome, [named(studied.impact, outcome) for outcome in OUTCOMES]),
        }
        for name, group in studied.groups[council].items():
            columns[name] = _dictionary(group.codes[found.places], group.members)
        parts.append(pa.table(columns))
    return pa.concat_tables(parts, promote_options="permissive").unify_dictionaries() if parts else pa.table({})


def _repeated(text: str, count: int) -> Any:
    return pa.DictionaryArray.from_arrays(pa.array(np.zeros(count, np.int32)), pa.array([text], pa.string()))


def _dictionary(codes: Any, members: Sequence[str]) -> Any:
    return pa.DictionaryArray.from_arrays(pa.array(codes.astype(np.int32), mask=codes < 0), pa.array(list(members), pa.string()))


def _pounds(value: Any) -> str:
    return "not shown" if value is None else f"-£{-value:,}" if value < 0 else f"£{value:,}"


def _html(name: str, table: Any) -> str:
    shown = [column for column in table.column_names if column not in ("suppressed", "suppressed_columns", "title")]
    rows = table.slice(0, _SHOWN).to_pylist()
    head = "".join(f"<th>{escape(tables.words(column))}</th>" for column in shown)
    body = "".join(f"<tr>{''.join(_cell(row, column) for column in shown)}</tr>" for row in rows)
    more = f"<p>{table.num_rows - _SHOWN:,} more rows</p>" if table.num_rows > _SHOWN else ""
    return f"<table><caption>{escape(name)}</caption><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{more}"


def _cell(row: Mapping[str, Any], column: str) -> str:
    value = row[column]
    if value is None:
        return f"<td>{'not shown' if column in row.get('suppressed_columns', ()) else ''}</td>"
    if isinstance(value, str):
        return f"<td>{escape(value or ('all' if column == 'council' else ''))}</td>"
    return f'<td style="text-align: right">{value:,}</td>'
