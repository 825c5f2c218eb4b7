"""The page of a paper: one file that asks for nothing and runs nothing, and that everybody can read."""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import replace
from datetime import date
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from paper.dressed import HOSTILE, Page, Reconciled, Study
from rbcalc._years import FinancialYear
from rbcalc.comparing.comparison import comparison
from rbcalc.papers import charts
from rbcalc.papers.file import Consulted, Declared, Money, Other, Said
from rbcalc.papers.paper import composed, quoted, rendered, stylesheet, trust
from rbcalc.papers.sections import Award as Given
from rbcalc.papers.sections import Example, Matter
from rbcalc.papers.tables import WITHHELD, Column, Figures, Sheet
from rbcalc.papers.words import Wording, WordingDoc, wording
from rbcalc.rulebook.rules import load
from rbcalc_kernels.language.shaping import shaped
from rbcalc_kernels.source import Findings, Mapping_, read

ALLOWED = {
    *("html", "head", "meta", "title", "style", "body", "header", "main", "footer", "section", "nav", "p", "a", "h1", "h2", "h3"),
    *("strong", "span", "dl", "dt", "dd", "ul", "ol", "li", "div", "figure", "figcaption", "table", "caption", "thead", "tbody", "tr"),
    *("th", "td", "svg", "g", "path", "rect", "line", "text", "defs", "clippath", "tspan", "circle"),
}


def worded(year: int = 2026) -> Wording:
    return wording(load(), "council_tax_reduction", FinancialYear(year))


def page_of(made: Study, declared: Declared | None = None, **more: Any) -> tuple[str, Page]:
    said = declared or Declared()
    figures = Figures.of(made.comparison, made.study, (), {name: one.title for name, one in said.options.items()})
    examples = more.pop("examples", ())
    text = rendered(composed(Matter(figures, worded(), said, examples), **more))
    return text, Page(text)


@pytest.fixture(scope="module")
def plain() -> tuple[str, Page]:
    return page_of(Study(), command="rbcalc whatif")


@pytest.fixture(scope="module")
def hostile() -> tuple[str, Page]:
    made = Study(titles={"north": HOSTILE[5], "south": HOSTILE[9]}, named=(HOSTILE[0], HOSTILE[6]), sizes={"north": 300, "south": 300})
    made.study.assumptions = HOSTILE
    made.study.options[1] = replace(made.study.options[1], title=HOSTILE[4], changes=HOSTILE)
    for groups in made.study.groups.values():
        groups["tenure"].title = HOSTILE[5]
    made.comparison = comparison(made.study)
    said = Declared(
        title=HOSTILE[6],
        report=HOSTILE[5],
        author=HOSTILE[4],
        background=HOSTILE,
        options={"option_1": Said(HOSTILE[7], HOSTILE[8], HOSTILE[11])},
        consultation=(Consulted("draft", "", HOSTILE[5], None, None, HOSTILE[4]),),
        other_ways={HOSTILE[5]: Other(HOSTILE[4], Fraction(3), HOSTILE[5], HOSTILE[6], HOSTILE[7])},
        money=(Money(source=HOSTILE[5]),),
        file=HOSTILE[4],
    )
    example = Example(HOSTILE[4], HOSTILE[5], {"baseline": Given(Decimal(1), HOSTILE[6])})
    return page_of(made, said, examples=(example,), command=HOSTILE[4])


@pytest.fixture(params=["plain", "hostile"])
def page(request: pytest.FixtureRequest) -> tuple[str, Page]:
    return request.getfixturevalue(request.param)


# ----------------------------------------------------------------------------------------------------- safe by itself
def test_nothing_is_fetched_and_nothing_runs(page: tuple[str, Page]) -> None:
    text, found = page
    assert {tag for tag, _ in found.elements} <= ALLOWED
    for tag, attributes in found.elements:
        assert not [
            name for name in attributes if name.startswith("on") or name in {"style", "src", "srcset", "action", "data", "poster"}
        ], tag
        for name in ("href", "xlink:href"):
            assert (attributes.get(name) or "#").startswith("#")
        for value in attributes.values():
            if tag in {"svg", "g", "path", "rect", "line", "text", "clippath"}:
                assert "url(" not in (value or "").replace("url(#", "")
    style = next(words for tag, words in found.texts if tag == "style")
    assert "url(" not in style and "@import" not in style and "\\" not in re.sub(r"\\[0-9a-f]{6} ", "", style)
    assert text.count("<style>") == 1 and text.count("</style>") == 1


def test_the_policy_allows_this_style_and_nothing_else(page: tuple[str, Page]) -> None:
    text, found = page
    (policy,) = [meta["content"] for meta in found.of("meta") if meta.get("http-equiv") == "Content-Security-Policy"]
    style = text.split("<style>")[1].split("</style>")[0]
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert policy == f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"


def test_hostile_texts_stay_texts(hostile: tuple[str, Page]) -> None:
    _, found = hostile
    for text in HOSTILE:
        assert " ".join(text.split()) in found.words, text


def test_strings_of_the_style_hold_any_text() -> None:
    assert quoted("a'b</style>") == r"'a\000027 b\00003c \00002f style\00003e '"
    assert "HYPOTHETICAL" in stylesheet(composed(_matter(Study())))


def _matter(made: Study, declared: Declared | None = None) -> Matter:
    return Matter(Figures.of(made.comparison, made.study), worded(), declared or Declared())


# ------------------------------------------------------------------------------------------------------ everybody reads
def test_the_page_says_its_language_and_what_it_is(page: tuple[str, Page]) -> None:
    _, found = page
    assert found.of("html") == [{"lang": "en-GB"}]
    assert len(found.of("h1")) == 1 and len(found.of("main")) == 1
    assert next(words for tag, words in found.texts if tag == "title").endswith("(hypothetical)")


def test_headings_leave_no_level_out(page: tuple[str, Page]) -> None:
    _, found = page
    levels = [int(tag[1]) for tag, _ in found.elements if re.fullmatch(r"h[1-6]", tag)]
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))


def test_names_of_places_are_unique_and_what_refers_to_one_finds_it(page: tuple[str, Page]) -> None:
    _, found = page
    ids = [attributes["id"] for _, attributes in found.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    assert all(re.fullmatch(r"[a-z][\w-]*", str(name)) for name in ids)
    for _, attributes in found.elements:
        for name in ("aria-labelledby", "aria-describedby"):
            assert set((attributes.get(name) or ids[0] or "").split()) <= set(ids)
        assert (attributes.get("href") or f"#{ids[0]}")[1:] in ids


def test_tables_have_captions_and_their_headings_a_scope(page: tuple[str, Page]) -> None:
    _, found = page
    assert len(found.of("table")) == len(found.of("caption")) > 10
    assert {attributes.get("scope") for attributes in found.of("th")} <= {"col", "row", "rowgroup"}


def test_each_chart_has_a_sentence_and_a_table(plain: tuple[str, Page]) -> None:
    _, found = plain
    drawings, figures = found.of("svg"), found.of("figure")
    assert len(drawings) == len(figures) == 6
    assert all(svg["role"] == "img" and svg["aria-labelledby"] and svg["aria-describedby"] for svg in drawings)
    tables = {attributes.get("id") for attributes in found.of("table")}
    links = [attributes["href"] for attributes in found.of("a") if str(attributes.get("href"))[1:] in tables]
    assert len(links) == len(drawings)
    assert "text" in {tag for tag, _ in found.elements}, "text is drawn as text"


def luminance(colour: str) -> float:
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_contrast_of_texts_and_marks() -> None:
    style = (Path(charts.__file__).parents[1] / "templates" / "paper.css").read_text(encoding="utf-8")
    colours = dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6})", style))
    pairs = [("ink", "paper"), ("soft", "paper"), ("mark", "paper"), ("mark", "mark-wash"), ("good", "good-wash"), ("link", "paper")]
    pairs += [("stamp", "stamp-wash"), ("stamp-wash", "paper")]
    assert {name for name in colours if name not in {one for pair in pairs for one in pair}} <= {"line", "faint", "wash"}
    for text, ground in pairs:
        assert contrast(colours[text], colours[ground]) >= 4.5, (text, ground)
    assert set(re.findall(r"#[0-9a-f]{6}", style)) <= {*colours.values()}
    for mark in (*charts.COLOURS, charts.INK, charts.LOSS, charts.GAIN):
        assert contrast(mark, "#ffffff") >= 4.5
    assert len(charts.COLOURS) == len(charts.SHAPES)


# -------------------------------------------------------------------------------------------------------- what it says
@pytest.mark.parametrize(
    ("given", "trusted", "heading", "told"),
    [
        (None, False, "Baseline not reconciled", "not been held against"),
        (Reconciled("99.81"), True, "Baseline reconciled", "99.81%"),
        (Reconciled("99.5"), True, "Baseline reconciled", "99.50%"),
        (Reconciled("99.49"), False, "Baseline not reconciled", "below the threshold declared of 99.50%"),
        (Reconciled("99.9999"), True, "Baseline reconciled", "99.99%"),
        (Reconciled("100", None), False, "Baseline not reconciled", "No threshold was declared"),
    ],
)
def test_the_first_page_says_how_far_the_baseline_is_trusted(given: Reconciled | None, trusted: bool, heading: str, told: str) -> None:
    found = trust(given)
    assert (found.trusted, found.heading) == (trusted, heading)
    assert told in found.told


def test_a_declared_threshold_comes_first() -> None:
    assert not trust(Reconciled("99.6"), Fraction(999, 1000)).trusted


def test_every_page_is_stamped(plain: tuple[str, Page]) -> None:
    text, found = plain
    stamp = "HYPOTHETICAL \u00b7 BASELINE NOT RECONCILED"
    assert found.words.count(stamp) == 1
    margins = re.search(r"@top-left \{ content: '([^']*)'", text)
    assert margins is not None and margins[1] == quoted(stamp)[1:-1]
    assert re.search(r"@bottom-left \{ content: '[^']*bbbbbbbbbbbb", text), "the digest of the caseload is on every page"


def test_what_was_refused_makes_the_paper_incomplete() -> None:
    made = Study()
    made.study.rejects = 3
    found = page_of(made)[1].words
    assert "INCOMPLETE" in found
    assert "3 rows of the caseload were refused on import. They are in no total." in found


def test_what_was_not_declared_is_said_to_be_missing(plain: tuple[str, Page]) -> None:
    words = plain[1].words
    for said in (
        "The date of the meeting that decides was not declared.",
        "North Council, Option 1: the collection rate of what is charged instead, the hardship fund and the cost of administration were",
        "The council has declared no figure for this way, and no reason for or against it.",
        "Option 2: no transitional provision was declared.",
        "No worked examples were given.",
    ):
        assert said in words
    assert len(plain[1].of("dd")) > 3


def test_the_paper_names_the_decision_and_recommends_nothing(plain: tuple[str, Page]) -> None:
    words = plain[1].words
    assert "Full Council is asked to choose one of the options in this paper, or to make no change." in words
    assert "The decision must be made by 11 March 2026." in words
    assert "Sch. 1A para. 5(2)" in words and "s.67(1) and (2)(aa)" in words and "[2014] UKSC 56" in words


def test_characteristics_are_told_or_named_as_not_held(plain: tuple[str, Page]) -> None:
    words = plain[1].words
    assert "Disability in part: of some it is not recorded Disabled" in words
    assert "Not held, and so in no figure of this paper: Age, Religion or belief." in words
    assert words.count("North Council: Disabled") == 1


def test_a_meeting_that_is_too_late_and_the_wrong_order_are_pointed_at() -> None:
    said = Declared(
        body="Cabinet",
        meeting=date(2026, 3, 12),
        consultation=(
            Consulted("draft", "", "", date(2025, 9, 1), None, ""),
            Consulted("precepting", "south", "", date(2025, 9, 2), None, ""),
        ),
    )
    words = page_of(Study(), said)[1].words
    assert "The meeting declared is on 12 March 2026, after the last day for the decision." in words
    assert "Only Full Council can decide." in words
    assert "South Council: the dates declared do not follow the order" in words
    assert "North Council: the dates declared do not follow" not in words


def test_one_council_alone_has_no_figures_of_others() -> None:
    made = Study()
    figures = Figures.of(made.comparison, made.study, ["north"])
    words = Page(rendered(composed(Matter(figures, worded(), Declared())))).words
    assert "South" not in words and "Together" not in words and "north" in words


def test_a_table_as_html() -> None:
    columns = (Column("Band <b>"), Column("Option"), Column("Households", "count"), Column("Change", "change"))
    rows = (("A & B", "one", 1200, Decimal("-3.50")), ("A & B", "two", WITHHELD, None), ("C", "one", 5, None))
    made = composed(_matter(Study()))
    sheet = Sheet("glance", "What & why", columns, rows, heads=2)
    text = rendered(type(made)(**{**{name: getattr(made, name) for name in made.__slots__}, "glance": sheet, "sections": ()}))
    expected = (
        '<table id="table-glance">',
        '<caption id="table-glance-caption">What &amp; why</caption>',
        (
            '<thead><tr><th scope="col">Band &lt;b&gt;</th><th scope="col">Option</th>'
            '<th scope="col" class="n">Households</th><th scope="col" class="n">Change</th></tr></thead>'
        ),
        "<tbody>",
        (
            '<tr class="first"><th scope="rowgroup" rowspan="2">A &amp; B</th><th scope="row">one</th>'
            '<td class="n">1,200</td><td class="n">\u2212£3.50</td></tr>'
        ),
        (
            '<tr><th scope="row">two</th><td class="n withheld"><span aria-hidden="true">*</span><span class="unseen">withheld</span></td>'
            '<td class="n">\u2013</td></tr>'
        ),
        "</tbody><tbody>",
        '<tr><th scope="rowgroup">C</th><th scope="row">one</th><td class="n">5</td><td class="n">\u2013</td></tr>',
        "</tbody>",
        "</table>",
    )
    assert "\n".join(expected) in text


def test_the_wording_is_strict() -> None:
    findings = Findings()
    node = read("kind: profile\ntitle: T\nimpact: x\ndedline: {month: 3}\n", "w.yaml")
    assert isinstance(node, Mapping_)
    shaped(node, "profile", WordingDoc, findings)
    said = [(found.code, found.span.line, found.message) for found in findings]
    assert ("RB035", 4, "unknown key 'dedline'") in said
    assert ("RB036", 1, "'deadline' is missing") in said


@pytest.mark.parametrize(("year", "deadline"), [(2026, "11 March 2026"), (2027, "11 March 2027")])
def test_the_deadline_is_in_the_year_before(year: int, deadline: str) -> None:
    assert deadline in worded(year).filled("{deadline}")


def test_checks_that_fail_are_pointed_at() -> None:
    made = Study(sizes={"north": 60})
    public = made.comparison.publishable()
    held = public.tables["checks"]
    holds = [True] * held.num_rows
    holds[0] = False
    public.tables["checks"] = held.set_column(held.column_names.index("holds"), "holds", [holds])
    figures = Figures(made.study, public.tables, ("north",), {option.name: option.title for option in made.study.options})
    words = Page(rendered(composed(Matter(figures, worded(), Declared())))).words
    assert "1 of" in words and "Do not use these figures." in words and "NO: 1 do not" in words
