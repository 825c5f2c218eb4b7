"""The tables of a paper: what a comparison holds, laid out for people.

Every table knows which file of the restricted folder opens its figures to cases.  A figure that is withheld, because it tells of fewer
people than may be published or would let such a figure be worked out, stays withheld.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from rbcalc.papers.words import ABSENT, joined, number, percent, pounds, sentence

if TYPE_CHECKING:
    from rbcalc.comparing.study import Option

TABLES: Final = ("costs", "outcomes", "distribution", "groups", "bodies", "changes", "tax_base", "checks")
"""What a comparison has of tables that may be published, as far as they were asked for."""

CASES: Final = "restricted/{council}.parquet"
_ACROSS: Final = 5
"""As many options stand side by side."""


class Withheld(Enum):
    """A figure that may not be published."""

    WITHHELD = "*"


WITHHELD: Final = Withheld.WITHHELD
Cell = str | int | Decimal | Withheld | None
Record = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its heading, and how its cells are written (text, count, pounds, change, percent, shift or base)."""

    title: str
    kind: str = "text"

    @property
    def figures(self) -> bool:
        """Whether its cells are figures."""
        return self.kind != "text"


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table: the first `heads` cells of a row are its headings, of which equal ones that follow each other are one."""

    name: str
    caption: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    heads: int = 1
    total: bool = False
    note: str = ""
    cases: str = ""

    @property
    def withheld(self) -> bool:
        """Whether any figure is."""
        return any(cell is WITHHELD for row in self.rows for cell in row)

    def laid(self) -> Iterator[tuple[list[tuple[str, int, str]], list[tuple[str, str]]]]:
        """Each row: its headings with the rows that they span and their scope, and its cells with the class of each."""
        for place, row in enumerate(self.rows):
            headings = []
            for at in range(self.heads):
                if at + 1 < self.heads and place and self.rows[place - 1][: at + 1] == row[: at + 1]:
                    continue
                span = 1
                while at + 1 < self.heads and place + span < len(self.rows) and self.rows[place + span][: at + 1] == row[: at + 1]:
                    span += 1
                headings.append((str(row[at]), span, "rowgroup" if at + 1 < self.heads else "row"))
            cells = [(said(cell, column.kind), _class(cell, column)) for cell, column in zip(row, self.columns, strict=True)]
            yield headings, cells[self.heads :]


def said(cell: Cell, kind: str) -> str:
    """A cell as people read it."""
    if cell is None:
        return ABSENT
    if cell is WITHHELD:
        return "*"
    if isinstance(cell, str):
        return cell
    value = Decimal(cell) if isinstance(cell, int) else cell
    assert isinstance(value, Decimal)
    match kind:
        case "pounds":
            return pounds(value)
        case "change":
            return pounds(value, signed=True)
        case "percent":
            return percent(value)
        case "shift2":
            return percent(value, 2, signed=True)
        case "shift":
            return percent(value, signed=True)
    return number(cell)


def _class(cell: Cell, column: Column) -> str:
    if cell is WITHHELD:
        return "n withheld"
    return "n" if column.figures else ""


@dataclass
class Figures:
    """The publishable tables of a comparison as records, for the councils that the paper is about."""

    study: Any
    tables: Mapping[str, Any]
    councils: tuple[str, ...]
    titles: Mapping[str, str]
    _records: dict[str, list[Record]] = field(default_factory=dict)

    @classmethod
    def of(cls, comparison: Any, study: Any, councils: Sequence[str] = (), titles: Mapping[str, str] | None = None) -> Figures:
        """What of a comparison may be published; `titles` are an officer's own titles of options."""
        public = comparison.publishable()
        found = public if isinstance(public, Mapping) else {name: getattr(public, name, None) for name in TABLES}
        named = {option.name: option.title or option.name for option in study.options} | {k: v for k, v in (titles or {}).items() if v}
        return cls(study, {name: found[name] for name in TABLES if found.get(name) is not None}, tuple(councils or study.councils), named)

    @property
    def baseline(self) -> str:
        """The option that the others are compared with."""
        return str(self.study.options[0].name)

    @property
    def options(self) -> list[str]:
        """The options but for the baseline."""
        return [option.name for option in self.study.options[1:]]

    @property
    def together(self) -> bool:
        """Whether there are figures of several councils together."""
        return len(self.councils) > 1 and set(self.councils) == set(self.study.councils)

    @property
    def scopes(self) -> list[str]:
        """The councils, and nothing for all together where there are several."""
        return [*self.councils, *([""] if self.together else [])]

    def council(self, name: str) -> str:
        """The title of a council."""
        return str(self.study.titles.get(name, name)) if name else "Together"

    def records(self, table: str) -> list[Record]:
        """The rows of a table for these councils, withheld figures marked."""
        if table not in self._records:
            rows = self.tables[table].to_pylist() if table in self.tables else []
            wanted = {*self.scopes}
            self._records[table] = [_marked(row) for row in rows if row.get("council", "") in wanted]
        return self._records[table]

    def find(self, table: str, **wanted: str) -> Record | None:
        """The first row with these values."""
        return next(self.all(table, **wanted), None)

    def all(self, table: str, **wanted: str) -> Iterator[Record]:
        """The rows with these values."""
        return (row for row in self.records(table) if all(row.get(name) == value for name, value in wanted.items()))


def _marked(row: dict[str, Any]) -> Record:
    """A row in which what was withheld says so."""
    if not row.get("suppressed"):
        return row
    held_back = row.get("suppressed_columns")
    return {name: WITHHELD if value is None and (held_back is None or name in held_back) else value for name, value in row.items()}


def files(figures: Figures, council: str, what: str) -> str:
    """Which rows of which file of the restricted folder open a table to its cases."""
    names = [council] if council else list(figures.councils)
    return f"{' and '.join(CASES.format(council=name) for name in names)}: {what}"


# --------------------------------------------------------------------------------------------------------------- costs
def glance(figures: Figures) -> Sheet:
    """What each option costs and how many households it moves, on the first page."""
    rows: list[tuple[Cell, ...]] = []
    for council in figures.scopes:
        for option in (figures.baseline, *figures.options):
            cost = figures.find("costs", council=council, option=option) or {}
            moved = {row["outcome"]: row["accounts"] for row in figures.all("outcomes", council=council, option=option)}
            first = option == figures.baseline
            rows.append(
                (
                    figures.council(council),
                    figures.titles[option],
                    cost.get("amount"),
                    None if first else cost.get("change"),
                    None if first else cost.get("change_percent"),
                    None if first else _sum(moved, ("losing", "no_longer_entitled")),
                    None if first else _sum(moved, ("gaining", "newly_entitled")),
                )
            )
    columns = (
        Column("Council"),
        Column("Option"),
        Column("Cost for the year", "pounds"),
        Column("Change", "change"),
        Column("Change, %", "shift"),
        Column("Households that lose", "count"),
        Column("Households that gain", "count"),
    )
    note = "Those who lose include those who are no longer entitled, and those who gain the newly entitled."
    cases = files(figures, "", "rows with the option; the column outcome says who gains and who loses")
    sheet = Sheet("glance", "Each option at a glance", columns, tuple(rows), heads=2, note=note, cases=cases)
    return sheet if len(figures.scopes) > 1 else without(sheet, 0)


def _sum(counts: Mapping[str, Any], names: Iterable[str]) -> Cell:
    values = [counts.get(name) for name in names]
    if any(value is WITHHELD for value in values):
        return WITHHELD
    known = [value for value in values if value is not None]
    return sum(known) if known else None


def without(sheet: Sheet, column: int) -> Sheet:
    """A table less one of its columns."""
    rows = tuple((*row[:column], *row[column + 1 :]) for row in sheet.rows)
    columns = (*sheet.columns[:column], *sheet.columns[column + 1 :])
    return Sheet(sheet.name, sheet.caption, columns, rows, sheet.heads - (column < sheet.heads), sheet.total, sheet.note, sheet.cases)


def costs(figures: Figures) -> Sheet:
    """The cost of each option by council."""
    rows = tuple(
        (figures.council(c), figures.titles[o], row["known"], row["accounts"], row["amount"], row["change"], row["change_percent"])
        for c in figures.scopes
        for o in (figures.baseline, *figures.options)
        if (row := figures.find("costs", council=c, option=o)) is not None
    )
    columns = (
        Column("Council"),
        Column("Option"),
        Column("Households with a claim", "count"),
        Column("With an award", "count"),
        Column("Cost for the year", "pounds"),
        Column("Change", "change"),
        Column("Change, %", "shift"),
    )
    sheet = Sheet("costs", "What each option costs, by council", columns, rows, heads=2)
    sheet = _opens(sheet, files(figures, "", "the column amount of the rows of an option adds up to its cost"))
    return sheet if len(figures.scopes) > 1 else without(sheet, 0)


def _opens(sheet: Sheet, cases: str) -> Sheet:
    return Sheet(sheet.name, sheet.caption, sheet.columns, sheet.rows, sheet.heads, sheet.total, sheet.note, cases)


def bodies(figures: Figures, council: str) -> Sheet | None:
    """The cost by precepting body, which adds up to that of the council."""
    found = list(figures.all("bodies", council=council))
    if not found:
        return None
    names = list(dict.fromkeys(row["body"] for row in found))
    rows: list[tuple[Cell, ...]] = []
    for body in names:
        for option in (figures.baseline, *figures.options):
            row = figures.find("bodies", council=council, option=option, body=body)
            if row is not None:
                rows.append((sentence(body), figures.titles[option], row["amount"], row["change"]))
    for option in (figures.baseline, *figures.options):
        cost = figures.find("costs", council=council, option=option)
        if cost is not None:
            rows.append(("All of them", figures.titles[option], cost["amount"], cost["change"]))
    columns = (Column("Who bears it"), Column("Option"), Column("Cost for the year", "pounds"), Column("Change", "change"))
    title = f"{figures.council(council)}: cost by the authorities that bear it"
    cases = files(figures, council, "each award is divided in proportion to the charges of its area")
    note = "" if council else _whose(figures, names)
    return Sheet(f"bodies-{council or 'together'}", title, columns, tuple(rows), heads=2, note=note, cases=cases)


def _whose(figures: Figures, names: Sequence[str]) -> str:
    """Of which councils each line is, where not all have the same."""
    held = {name: [c for c in figures.councils if figures.find("bodies", council=c, body=name) is not None] for name in names}
    if all(councils == list(figures.councils) for councils in held.values()):
        return ""
    told = "; ".join(f"{sentence(name)}: {joined([figures.council(c) for c in councils])}" for name, councils in held.items())
    return f"Not all councils know their charges by the same authorities. {told}."


def changes(figures: Figures, council: str, option: str) -> Sheet | None:
    """Each single change of an option, alone and within it."""
    found = sorted(figures.all("changes", council=council, option=option), key=lambda row: row.get("order") or 0)
    if not found:
        return None
    rows = tuple((row["change"], row["alone"], row["together_without"]) for row in found)
    columns = (
        Column("Change"),
        Column("Change of cost if made alone", "change"),
        Column("Change of cost of the option without it", "change"),
    )
    title = f"{figures.council(council)}: {figures.titles[option]}: each change costed alone and together"
    note = (
        "Changes act on each other, so the first column need not add up to the whole. Changes that do not stand without each other are"
        " costed as one. There are no cases of a single change: to see them, cost it as an option of its own."
    )
    return Sheet(f"changes-{council or 'together'}-{option}", title, columns, rows, note=note)


def tax_base(figures: Figures) -> Sheet | None:
    """What each option does to the tax base."""
    rows = tuple(
        (figures.council(c), figures.titles[o], row["base"], row["change"])
        for c in figures.councils
        for o in (figures.baseline, *figures.options)
        if (row := figures.find("tax_base", council=c, option=o)) is not None
    )
    columns = (Column("Council"), Column("Option"), Column("Tax base", "base"), Column("Change", "base"))
    return Sheet("tax-base", "What each option does to the tax base", columns, rows, heads=2) if rows else None


# ---------------------------------------------------------------------------------------------------- who gains and loses
def outcomes(figures: Figures, council: str) -> Sheet:
    """How many gain and lose, and by how much."""
    rows = tuple(
        (figures.titles[o], sentence(row["outcome"]), row["accounts"], row["change"], row["average_week"])
        for o in figures.options
        for row in figures.all("outcomes", council=council, option=o)
    )
    columns = (
        Column("Option"),
        Column("Outcome"),
        Column("Households", "count"),
        Column("Change for the year", "change"),
        Column("Average a week", "change"),
    )
    cases = files(figures, council, "rows with the option and the outcome")
    return Sheet(f"outcomes-{council or 'together'}", f"{figures.council(council)}: who gains and who loses", columns, rows, 2, cases=cases)


def distribution(figures: Figures, council: str) -> list[Sheet]:
    """How many gain or lose how much a week, the options side by side."""
    found = list(figures.all("distribution", council=council))
    labels = dict.fromkeys((row["range"], row["label"]) for row in found)
    cases = files(figures, council, "rows with the option and a change in the column week within the range")
    title = f"{figures.council(council)}: households by the change of their award a week"
    sheets = []
    for start in range(0, len(figures.options), _ACROSS):
        chosen = figures.options[start : start + _ACROSS]
        counts = {(row["range"], row["option"]): row["accounts"] for row in found if row["option"] in chosen}
        rows = tuple((label, *(counts.get((code, option)) for option in chosen)) for code, label in labels)
        columns = (Column("Change a week"), *(Column(figures.titles[option], "count") for option in chosen))
        more = f"-{start // _ACROSS + 1}" if start else ""
        sheets.append(Sheet(f"distribution-{council or 'together'}{more}", title, columns, rows, cases=cases))
    return sheets


def group_names(figures: Figures, council: str) -> dict[str, str]:
    """The groups that a council has figures for, by name, with their titles; not those that do not divide its households."""
    members: dict[str, set[str]] = {}
    titles: dict[str, str] = {}
    for row in figures.all("groups", council=council):
        members.setdefault(row["group"], set()).add(row["member"])
        titles[row["group"]] = row["group_title"]
    return {name: title for name, title in titles.items() if len(members[name]) > 1}


def group(figures: Figures, council: str, name: str) -> Sheet:
    """Gains and losses by the members of one group."""
    found = list(figures.all("groups", council=council, group=name))
    members = list(dict.fromkeys((row["member"], row["label"]) for row in found))
    rows: list[tuple[Cell, ...]] = []
    for member, label in members:
        for option in figures.options:
            row = next((row for row in found if row["member"] == member and row["option"] == option), None)
            if row is not None:
                counts = (row["accounts"], row["losing"], row["gaining"], row["unchanged"])
                rows.append((label, figures.titles[option], *counts, row["average_week"], row["largest_loss_week"], row["change"]))
    columns = (
        Column(found[0]["group_title"] if found else name),
        Column("Option"),
        Column("Households", "count"),
        Column("Losing", "count"),
        Column("Gaining", "count"),
        Column("Un\u00adchanged", "count"),
        Column("Average a week", "change"),
        Column("Largest loss a week", "pounds"),
        Column("Change for the year", "change"),
    )
    title = f"{figures.council(council)}: {found[0]['group_title'] if found else name}"
    cases = files(figures, council, f"rows with the option and the value in the column {name}")
    sheet = Sheet(f"group-{council or 'together'}-{name}", title, columns, tuple(rows), heads=2, cases=cases)
    return sheet if len(figures.options) > 1 else without(sheet, 1)


def checks(figures: Figures) -> Sheet | None:
    """What must add up, how often that was looked at, and whether it does; the workbook has each case."""
    names = list(dict.fromkeys(row["check"] for row in figures.records("checks")))
    rows = []
    for name in names:
        found = list(figures.all("checks", check=name))
        failed = sum(not row["holds"] for row in found)
        rows.append((sentence(name), len(found), f"NO: {failed} do not" if failed else "yes"))
    columns = (Column("What must hold"), Column("Looked at", "count"), Column("Holds"))
    note = "The sheet Checks of the workbook has what was expected and what was found each time."
    return Sheet("checks", "Checks of the figures against each other", columns, tuple(rows), note=note) if rows else None


def reasons(option: Option) -> tuple[str, ...]:
    """Why the files of an option replace rules, as they say it."""
    documents = [source.content for source in option.scenarios if not isinstance(source, Path)]
    rules = [rule for each in documents for rule in getattr(each, "replace", {}).values()]
    return tuple(dict.fromkeys(f"{rule.title}: {rule.reason}" for rule in rules if rule.reason))


def provisional(figures: Figures) -> tuple[str, ...]:
    """What any of the programs has of figures and rules that are not confirmed, by their titles, each once."""
    found: dict[str, None] = {}
    for by_council in figures.study.outcomes.values():
        for council in figures.councils:
            program = by_council[council].program
            rules = {rule.name: rule for rule in getattr(program, "rules", ())}
            for name in program.provisional:
                held = getattr(program, "parameters", {}).get(name) or program.tables.get(name) or rules.get(name)
                found[sentence(getattr(held, "title", "") or name)] = None
    return tuple(found)
