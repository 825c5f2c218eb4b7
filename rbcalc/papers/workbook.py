"""The workbook of a paper: figures as figures and texts as texts, for somebody who wants to add them up again.

Nothing in it is a formula, a link or a hidden sheet, and no row tells of a single household.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from rbcalc.papers.data import public_tables
from rbcalc.papers.sections import Matter
from rbcalc.papers.tables import provisional
from rbcalc.papers.words import sentence, shortened

if TYPE_CHECKING:
    from rbcalc.papers.paper import Paper

_LONGEST: Final = 32_000
"""A cell holds no longer text."""

_WIDEST: Final = 48
_MARGIN: Final = 200
"""A page's header holds no more than 255 characters."""

_TITLES: Final = {"bodies": "Who bears the cost", "changes": "Single changes", "tax_base": "Tax base"}
_WITHHELD: Final = "withheld"
_LEFT_OUT: Final = ("suppressed", "suppressed_columns", "title", "order", "group", "outcome", "range", "member")
"""Columns that say what another column says in words."""


class _Book:
    """A workbook that is being written: one sheet after the other, each with what it is and a table or two columns."""

    def __init__(self, path: Path, paper: Paper) -> None:
        import xlsxwriter

        self.paper = paper
        options = {"strings_to_formulas": False, "strings_to_numbers": False, "strings_to_urls": False, "nan_inf_to_errors": False}
        self.book = xlsxwriter.Workbook(str(path), options)
        self.book.set_properties({"title": _text(paper.title)[:200], "comments": _text(paper.short)[:200]})
        self.plain = self.book.add_format({"valign": "top", "text_wrap": True})
        self.bold = self.book.add_format({"bold": True, "valign": "top", "text_wrap": True, "bottom": 1})
        self.title = self.book.add_format({"bold": True, "font_size": 14})
        self.stamp = self.book.add_format({"bold": True, "font_color": "#6B1F00"})
        self.formats = {
            name: self.book.add_format({"num_format": shown, "valign": "top"})
            for name, shown in {"money": "#,##0.00;[Red]-#,##0.00", "count": "#,##0", "percent": "0.00", "base": "#,##0.0"}.items()
        }

    def sheet(self, title: str, told: str = "") -> tuple[Any, int]:
        """A new sheet and its first free row."""
        sheet = self.book.add_worksheet(title)
        sheet.set_landscape()
        sheet.set_paper(9)
        sheet.fit_to_pages(1, 0)
        stamp = self.paper.stamp
        sheet.set_header(f"&L{_margin(stamp)}&R{_margin(self.paper.title)}")
        sheet.set_footer(f"&L{_margin(self.paper.short)}&RPage &P of &N")
        sheet.write_string(0, 0, _text(f"{self.paper.title}: {title}"), self.title)
        row = 1
        for words, form in ((stamp, self.stamp), (told, None)):
            if words:
                sheet.write_string(row, 0, _text(words), form)
                row += 1
        return sheet, row + 1

    def table(self, title: str, headings: list[str], rows: Iterable[list[tuple[Any, str]]], told: str = "") -> None:
        """A sheet with one table, its headings in sight while one scrolls."""
        sheet, top = self.sheet(title, told)
        widths = [len(heading) + 2 for heading in headings]
        for place, heading in enumerate(headings):
            sheet.write_string(top, place, _text(heading), self.bold)
        for row, cells in enumerate(rows, top + 1):
            for place, (value, kind) in enumerate(cells):
                self.cell(sheet, row, place, value, kind)
                widths[place] = max(widths[place], min(len(str(value)) + 3, _WIDEST))
        for place, width in enumerate(widths):
            sheet.set_column(place, place, min(width, _WIDEST))
        sheet.freeze_panes(top + 1, 0)

    def cell(self, sheet: Any, row: int, place: int, value: Any, kind: str) -> None:
        """One cell by its type: figures stay figures, and no text becomes anything but a text."""
        if value is None:
            sheet.write_blank(row, place, None, self.plain)
        elif isinstance(value, bool):
            sheet.write_boolean(row, place, value)
        elif isinstance(value, int | Decimal):
            sheet.write_number(row, place, float(value), self.formats[kind if kind in self.formats else "count"])
        elif isinstance(value, list):
            sheet.write_string(row, place, _text(", ".join(map(str, value))), self.plain)
        else:
            sheet.write_string(row, place, _text(str(value)), self.plain)


def write_workbook(paper: Paper, matter: Matter, path: Path) -> None:
    """Write the workbook of a paper.  Raises OSError."""
    import xlsxwriter.exceptions

    book = _Book(path, paper)
    _summary(book, matter)
    found = public_tables(matter.figures)
    for name, table in found.items():
        if name != "checks":
            _comparison(book, matter, name, table)
    for block in (block for section in paper.sections if section.name in ("yield", "other-ways") for block in section.blocks):
        if block.sheet is not None:
            rows = [
                [(_shown(cell), _kind(column.kind)) for cell, column in zip(row, block.sheet.columns, strict=True)]
                for row in block.sheet.rows
            ]
            title = {"yield": "Yield", "equivalent": "Equal rise"}[block.sheet.name]
            book.table(title, [_heading(column.title) for column in block.sheet.columns], rows, block.sheet.caption)
    _assumptions(book, matter)
    if "checks" in found:
        _comparison(book, matter, "checks", found["checks"])
    book.table("Run", ["What", "Value"], [[(term, ""), (words, "")] for term, told in paper.provenance for words in told])
    try:
        book.book.close()
    except xlsxwriter.exceptions.FileCreateError as error:
        raise OSError(*error.args[0].args) from error


def _summary(book: _Book, matter: Matter) -> None:
    paper = book.paper
    sheet, row = book.sheet("Summary")
    declared = matter.declared
    facts = [
        ("Councils", ", ".join(paper.councils)),
        ("Financial year", paper.year),
        ("Report", declared.report or "not declared"),
        ("Date", declared.dated or "not declared"),
        ("Author", declared.author or "not declared"),
        (paper.trust.heading, paper.trust.told),
        *([("Incomplete", paper.incomplete)] if paper.incomplete else []),
        *([("Hypothetical", "These options are not in force.")] if paper.hypothetical else []),
    ]
    for term, words in facts:
        sheet.write_string(row, 0, _text(term), book.plain)
        sheet.write_string(row, 1, _text(words.isoformat() if isinstance(words, date) else words), book.plain)
        row += 1
    row += 1
    for place, column in enumerate(paper.glance.columns):
        sheet.write_string(row, place, _text(_heading(column.title)), book.bold)
    for cells in paper.glance.rows:
        row += 1
        for place, (cell, column) in enumerate(zip(cells, paper.glance.columns, strict=True)):
            book.cell(sheet, row, place, _shown(cell), _kind(column.kind))
    sheet.set_column(0, 0, 26)
    sheet.set_column(1, 1, 40)
    sheet.set_column(2, len(paper.glance.columns), 18)


def _comparison(book: _Book, matter: Matter, name: str, table: Any) -> None:
    """One of the comparison's tables: its columns as they are, councils and options by their titles."""
    figures = matter.figures
    columns = [column for column in table.column_names if column not in _LEFT_OUT]
    kinds = {column: _arrow_kind(table.schema.field(column)) for column in columns}
    rows = []
    for record in table.to_pylist():
        gone = record.get("suppressed_columns") or (columns if record.get("suppressed") else ())
        cells = []
        for column in columns:
            value = record[column]
            if column == "option":
                value = figures.titles.get(value, value)
            elif column == "council":
                value = figures.council(value)
            elif column == "body":
                value = sentence(value)
            elif value is None and column in gone:
                value = _WITHHELD
            cells.append((value, kinds[column]))
        rows.append(cells)
    told = (table.schema.metadata or {}).get(b"note", b"").decode()
    book.table(_TITLES.get(name, sentence(name)), [sentence(column) for column in columns], rows, told)


def _arrow_kind(column: Any) -> str:
    import pyarrow as pa

    if not pa.types.is_decimal(column.type):
        return "count"
    return "base" if column.type.scale == 1 else "percent" if column.name.endswith("percent") else "money"


def _kind(kind: str) -> str:
    return {"pounds": "money", "change": "money", "shift": "percent", "shift2": "percent"}.get(kind, kind)


def _shown(cell: Any) -> Any:
    return cell if cell is None or isinstance(cell, int | Decimal | str) else _WITHHELD


def _assumptions(book: _Book, matter: Matter) -> None:
    study, declared = matter.figures.study, matter.declared
    rows: list[list[tuple[Any, str]]] = [[("Assumed", ""), (str(each), ""), ("", "")] for each in study.assumptions]
    rows += [[("Carried over or put up", ""), (str(each), ""), ("", "")] for each in study.notes]
    rows += [[("Not yet confirmed", ""), (title, ""), ("", "")] for title in provisional(matter.figures)]
    for money in declared.money:
        for name in ("collection_rate", "hardship_fund", "administration"):
            value = getattr(money, name)
            if value is not None:
                shown = Decimal(value.numerator) / Decimal(value.denominator) * (100 if name == "collection_rate" else 1)
                whom = ", ".join(each for each in (money.council, money.option) if each) or "all"
                unit = " (%)" if name == "collection_rate" else ""
                rows.append([("Declared", ""), (f"{sentence(name)}{unit}, {whom}. {money.source}".strip(), ""), (shown, "money")])
    book.table("Assumptions", ["Kind", "What", "Figure"], rows)


def _heading(title: str) -> str:
    return title.replace("\u00ad", "")


def _text(words: str) -> str:
    """A text that a cell can hold."""
    return words if len(words) <= _LONGEST else f"{words[:_LONGEST]}…"


def _margin(words: str) -> str:
    """A text for the margins of a page, in which an ampersand is no sign."""
    return shortened(words, _MARGIN // 2).replace("&", "&&")[: _MARGIN // 2]
