"""Schemes as booklets: read word by word, complete against the rule files, and pages that anybody can use."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import pytest
import yaml

from rbcalc._show import amount
from rbcalc._years import FinancialYear, iso
from rbcalc.errors import UsageError
from rbcalc.rulebook.rules import Rules
from rbcalc.schemes.booklet import OWN, Maker, booklet_file
from rbcalc.schemes.booklet_files import rendered, rows
from rbcalc_kernels.program.graph import Table

HERE = Path(__file__).parent
Made = Callable[[str, str], Maker]
SCHEMES = [
    ("hartlepool", "2026-27"),
    ("stevenage", "2026-27"),
    ("north_hertfordshire", "2026-27"),
    ("dorset", "2024-25"),
    ("east_hertfordshire", "2026-27"),
    ("poole", "2013-14"),
]


def golden(name: str, text: str) -> None:
    """Compare with the approved text; UPDATE_GOLDEN=1 writes it anew, to be read again."""
    path = HERE / "golden" / name
    if os.environ.get("UPDATE_GOLDEN"):
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8")


@pytest.mark.parametrize("council", ["hartlepool", "stevenage"])
def test_what_a_council_decided_reads_as_it_was_approved(council: str, made: Made) -> None:
    """A grid and a taper, with the status, whom the scheme is for, and all that the council decided."""
    text = rendered(made(council, "2026-27").made(), "markdown")
    golden(f"{council}_2026-27.md", text[: text.index("\n## Left as the rules behind the scheme have it")] + "\n")


def test_the_ends_of_a_grid_are_said_as_the_scheme_has_them(made: Made) -> None:
    booklet = made("hartlepool", "2026-27").made()
    grid = next(table for group in booklet.groups for table in group.grids)
    assert grid.sheet.columns[1:] == (
        "single",
        "single 1 child",
        "single 2 or more children",
        "couple",
        "couple 1 child",
        "couple 2 or more children",
    )
    assert [row[:2] for row in grid.sheet.rows] == [
        ("90 %", "up to £116.20 a week"),
        ("70 %", "over £116.20, up to £209.17 a week"),
        ("40 %", "over £209.17, up to £249.84 a week"),
        ("20 %", "over £249.84, up to £296.32 a week"),
        ("0 %", "over £296.32 a week"),
    ]


def test_steps_are_said_with_the_council_s_figures_and_without_what_cannot_apply(made: Made) -> None:
    grid = {rung.title: rung for part in made("hartlepool", "2026-27").made().parts for chapter in part.chapters for rung in chapter.rungs}
    assert "Deduction for somebody in remunerative work" not in grid  # the council deducts the same for everybody
    last = grid["Deduction for the non-dependant"].lines[-1]
    assert (last.when, last.give) == ("", "£5.00 a week")
    assert "Applicable amount" not in grid
    assert "Main phase of employment and support allowance" not in grid
    taper = {rung.title: rung for part in made("stevenage", "2026-27").made().parts for chapter in part.chapters for rung in chapter.rungs}
    worked_out = taper["Charge less share, deductions and taper, for a day"]
    assert len(worked_out.lines) == 1
    assert "× 91.5 %" in worked_out.lines[0].give  # noqa: RUF001 - as it is printed
    assert taper["Reduction for a day under the council's own scheme"].own
    assert taper["Reduction for a day under the council's own scheme"].reason == "The council's scheme has a means test."


@pytest.mark.parametrize(("council", "year"), SCHEMES)
def test_every_figure_that_the_council_s_files_set_is_in_the_booklet(council: str, year: str, made: Made, rules: Rules) -> None:
    """Held against the rule files as plain YAML, not against what the booklet thinks is in the scheme."""
    maker = made(council, year)
    booklet = maker.made()
    own = {(row[1], row[2]): row[3] for row in rows(booklet) if row[0] == OWN}
    text = rendered(booklet, "html")
    when = FinancialYear.of(year)
    names = 0
    for path in sorted((rules.root / "councils" / council / "reduction").glob("*.yaml")):
        file = yaml.safe_load(path.read_text(encoding="utf-8"))
        if file["kind"] != "council" or not file["from"].isoformat() <= iso(when.last_day):
            continue
        if "to" in file and file["to"].isoformat() < iso(when.first_day):
            continue
        for name in file.get("set", {}):
            names += 1
            parameter = maker.program.parameters.get(name)
            if parameter is not None:
                assert own[parameter.title, ""] == amount(parameter.by_period[-1], parameter.type), name
            else:
                table = maker.program.tables[name]
                for words in _cells(table, file["set"][name].get("rows", {})):
                    assert words in text, (name, words)
    assert names


def _cells(table: Table, given: dict[str, object]) -> set[str]:
    """Each value, and each end of a range, of the rows that a file gives."""
    found: set[str] = set()
    for keys, (edges, values) in table.by_period[-1].rows.items():
        if not keys or keys[0] in given:
            found |= {amount(value, table.type) for value in values}
            found |= {amount(edge, table.bands.type) for edge in edges} if table.bands is not None else set()
    return found


def test_what_may_still_change_is_marked_where_it_stands_and_at_the_top(made: Made) -> None:
    booklet = made("hartlepool", "2026-27").made()
    marked = {row[1] for row in rows(booklet) if row[5] == "provisional"}
    assert "Amount for an hour in the minimum income floor" in marked
    assert marked <= set(booklet.provisional)
    assert booklet.adopted == ("transcribed, not adopted",)
    assert "Limit of capital in the council's scheme" not in booklet.provisional


def test_a_source_is_that_of_whoever_set_the_row(made: Made) -> None:
    sources = {
        (row[0], row[2]): row[6]
        for row in rows(made("hartlepool", "2026-27").made())
        if row[1] == "How each kind of income is counted, working age"
    }
    assert "Hartlepool" in sources[OWN, "carers allowance"]
    others = [source for (group, _), source in sources.items() if group != OWN]
    assert others
    assert not any("Hartlepool" in source for source in others)


def test_what_the_council_s_rules_leave_open_is_said(made: Made) -> None:
    assert any("not known" in reason for reason in made("dorset", "2024-25").made().undecided)
    assert not made("stevenage", "2026-27").made().undecided


def test_a_year_without_a_scheme_and_an_unknown_booklet_are_refused(rules: Rules) -> None:
    with pytest.raises(UsageError, match="no such scheme in 2023-24: No scheme of the council"):
        Maker(rules.council("bcp"), FinancialYear.of("2023-24"), booklet_file(rules))
    with pytest.raises(UsageError, match="has no published charges for 2025-26"):
        Maker(rules.council("bcp"), FinancialYear.of("2025-26"), booklet_file(rules))
    with pytest.raises(UsageError, match="no booklet is called counsil_tax_reduction"):
        booklet_file(rules, "counsil_tax_reduction")


# --------------------------------------------------------------------------------------------------------------- pages
class Page(HTMLParser):
    """What a page is made of."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.wrong: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in ("meta", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.wrong.append(tag)


def test_a_page_stands_alone_and_can_be_used_by_everybody(made: Made) -> None:
    page = Page(rendered(made("stevenage", "2026-27").made(), "html"))
    assert not page.wrong
    assert not page.open
    names = [tag for tag, _ in page.tags]
    assert not {"script", "img", "link", "iframe"} & set(names)
    assert names.count("table") == names.count("caption")
    assert names.count("h1") == names.count("main") == 1
    levels = [int(tag[1]) for tag in names if tag in ("h1", "h2", "h3", "h4")]
    assert all(after <= before + 1 for before, after in pairwise(levels))
    assert all(attrs.get("scope") in ("col", "row") for tag, attrs in page.tags if tag == "th")
    assert ("html", {"lang": "en-GB"}) in page.tags
    ids = [attrs["id"] for _, attrs in page.tags if "id" in attrs]
    targets = [str(attrs["href"])[1:] for tag, attrs in page.tags if tag == "a" and str(attrs["href"]).startswith("#")]
    assert len(ids) == len(set(ids))
    assert targets
    assert set(targets) <= set(ids)
    assert all(str(attrs["href"]).startswith(("#", "https://", "http://")) for tag, attrs in page.tags if tag == "a")


HOSTILE = '<script>alert(1)</script> & "x" | *y* [z](javascript:alert(1)) `q`'


def test_no_text_of_a_rule_becomes_markup(made: Made) -> None:
    booklet = made("hartlepool", "2026-27").made()
    group = booklet.groups[0]
    figure = replace(group.figures[0], title=HOSTILE, words=HOSTILE, source=f'{HOSTILE} https://x.test/"onclick="alert(1)')
    grid = replace(group.grids[0], title=HOSTILE, sources=(HOSTILE,))
    rung = replace(booklet.whom[0], title=HOSTILE, note=HOSTILE, reason=HOSTILE)
    bad = replace(
        booklet,
        title=HOSTILE,
        council=HOSTILE,
        groups=(replace(group, figures=(figure,), grids=(grid,)), *booklet.groups[1:]),
        whom=(rung,),
        undecided=(HOSTILE,),
    )
    page = Page(rendered(bad, "html"))
    assert not page.wrong
    assert "script" not in [tag for tag, _ in page.tags]
    assert not any(name.startswith("on") for _, attrs in page.tags for name in attrs)
    assert not any("javascript" in str(attrs.get("href", "")) for _, attrs in page.tags)
    for form in ("markdown", "table"):
        text = rendered(bad, form)
        assert "<script>" not in text
        assert "[z](javascript" not in text
        assert r"\<script\>" in text
        assert all(line.count("|") - line.count(r"\|") == 5 for line in text.splitlines() if line.startswith(r"| \<script"))
