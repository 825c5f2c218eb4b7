"""The sections of a paper: what is said where, made of texts with their sources, tables and charts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any, Final

from rbcalc.comparing.suppression import THRESHOLD
from rbcalc.papers import charts, money, tables
from rbcalc.papers.charts import Chart
from rbcalc.papers.file import Declared
from rbcalc.papers.tables import WITHHELD, Cell, Column, Figures, Sheet
from rbcalc.papers.words import Wording, day, direction, pence, pounds, slug, source
from rbcalc.supposing.scenario_words import beside

MOST_EDGES: Final = 40


@dataclass(frozen=True, slots=True)
class Block:
    """A piece of a section: text, missing (what was not declared), warning, list, heading, sheet or chart."""

    kind: str
    text: str = ""
    source: str = ""
    items: tuple[str, ...] = ()
    sheet: Sheet | None = None
    chart: Chart | None = None
    name: str = ""


@dataclass(frozen=True, slots=True)
class Section:
    """A section under its own heading."""

    name: str
    title: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class Award:
    """What a household is given a week under an option, and why."""

    weekly: Decimal
    why: str = ""


@dataclass(frozen=True, slots=True)
class Example:
    """A household that was made up: nobody's case.  `awards` are by the name of the option."""

    title: str
    description: str
    awards: Mapping[str, Award]


@dataclass(frozen=True, slots=True)
class Matter:
    """All that a paper is made of."""

    figures: Figures
    wording: Wording
    declared: Declared
    examples: tuple[Example, ...] = ()
    cliffs: Mapping[str, Any] = field(default_factory=dict)
    schemes: tuple[tuple[str, Any], ...] = ()


def text(said: str, where: str = "") -> Block:
    """A paragraph."""
    return Block("text", said, where)


def missing(said: str) -> Block:
    """What was not declared."""
    return Block("missing", said)


def heading(said: str, name: str) -> Block:
    """A heading within a section."""
    return Block("heading", said, name=slug(name))


def sheet(found: Sheet | None) -> list[Block]:
    """A table, if there is one."""
    return [Block("sheet", sheet=found)] if found is not None and found.rows else []


def drawn(found: Chart | None) -> list[Block]:
    """A chart, if there is one."""
    return [Block("chart", chart=found)] if found is not None else []


def paragraphs(told: Sequence[tuple[str, str]]) -> list[Block]:
    """Paragraphs with their sources."""
    return [text(said, where) for said, where in told]


def sections(matter: Matter) -> list[Section]:
    """All sections in order; those without anything to say are left out."""
    makers = (
        ("decision", "The decision", decision),
        ("options", "The options", options),
        ("cost", "What each option costs", cost),
        ("yield", "What is left of it", left),
        ("other-ways", "Other ways of paying for it", other_ways),
        ("people", "Who gains and who loses", people),
        ("equality", "Equality", equality),
        ("examples", "Worked examples", examples),
        ("cliffs", "Where a little more income leaves people with less", cliffs),
        ("consultation", "Consultation", consultation),
        ("transitional", "Help for those who lose", transitional),
        ("schemes", "What the council's own scheme would say", schemes),
    )
    made = (Section(name, title, tuple(maker(matter))) for name, title, maker in makers)
    return [section for section in made if section.blocks]


# ------------------------------------------------------------------------------------------------------------ the decision
def decision(matter: Matter) -> Iterator[Block]:
    """Who decides, by when, and that nobody has recommended anything."""
    declared, wording, figures = matter.declared, matter.wording, matter.figures
    body = declared.body or wording.filled(str(wording.doc.decided_by))
    yield text(
        f"{body} is asked to choose one of the options in this paper, or to make no change. The figures recommend none of them: the"
        " choice is the council's."
    )
    yield Block("list", items=tuple(figures.titles[option] for option in (figures.baseline, *figures.options)))
    yield text(f"The decision must be made by {day(wording.deadline)}.", source(wording.doc.deadline.source))
    if declared.meeting is None:
        yield missing("The date of the meeting that decides was not declared.")
    elif declared.meeting > wording.deadline:
        yield Block("warning", f"The meeting declared is on {day(declared.meeting)}, after the last day for the decision.")
    else:
        yield text(f"{body} meets on {day(declared.meeting)}.")
    if declared.body and declared.body.casefold() != str(wording.doc.decided_by).casefold():
        where = source(wording.doc.decided_by_source)
        yield Block("warning", f"The body declared is {declared.body}. Only {wording.doc.decided_by} can decide.", where)
    yield from paragraphs(wording.told(wording.doc.decision))


def options(matter: Matter) -> Iterator[Block]:
    """What each option changes."""
    figures = matter.figures
    yield from map(text, matter.declared.background)
    for place, option in enumerate(figures.study.options):
        yield heading(figures.titles[option.name], f"option-{place}")
        said = matter.declared.options.get(option.name)
        if said is not None and said.says:
            yield text(said.says)
        others = [(figures.titles[other.name], other.changes) for other in figures.study.options[1:place]]
        title, lines = beside(option.changes, others)
        if title:
            yield text(f"It changes what {title} changes{', but for:' if lines else ', and nothing else.'}")
        if lines:
            yield Block("list", items=lines)
        elif title:
            pass
        elif option.name == figures.baseline:
            yield text("The scheme stays as it is. All other options are compared with this one.")
        else:
            yield text("The rules behind this option change no figure and no rule.")
        if option.says:
            yield text(option.says)
        for told in matter.figures.study.warnings.get(option.name, ()):
            yield Block("warning", told)
        for reason in tables.reasons(option):
            yield text(reason)
        if option.hypothetical and option.name == figures.baseline:
            yield text("Hypothetical: figures that are not published yet are supposed. What the figures rest on names them.")
        elif option.hypothetical:
            files = f" Its rules are the files {place:02d}_*.yaml in the folder scenarios beside this paper." if option.scenarios else ""
            yield text(f"Hypothetical: no council has adopted this option.{files}")


def cost(matter: Matter) -> Iterator[Block]:
    """The cost by council and by who bears it, and each change by itself."""
    figures = matter.figures
    yield from drawn(charts.cost(figures))
    yield from sheet(tables.costs(figures))
    for council in figures.scopes:
        yield from sheet(tables.bodies(figures, council))
    for council in figures.scopes:
        for option in figures.options:
            yield from sheet(tables.changes(figures, council, option))
    yield from sheet(tables.tax_base(figures))


def left(matter: Matter) -> Iterator[Block]:
    """The yield net of what was declared."""
    figures, declared = matter.figures, matter.declared
    yield text(
        "What is not awarded is charged instead. Not all of it is collected, and some may be spent again on hardship and on running the"
        " scheme. These rates and amounts are the council's own declarations."
    )
    yield from sheet(money.yields(figures, declared, matter.wording))
    gaps = money.undeclared(figures, declared)
    if gaps:
        yield Block("missing-list", items=tuple(gaps))
    found = money.sources(declared)
    if found:
        yield text("Declared on the strength of:")
        yield Block("list", items=tuple(found))
    yield from paragraphs(matter.wording.told(matter.wording.doc.hardship))


def other_ways(matter: Matter) -> Iterator[Block]:
    """What else would bring in or save as much."""
    figures, declared, wording = matter.figures, matter.declared, matter.wording
    yield from paragraphs(wording.told(wording.doc.alternatives))
    yield heading("No change", "way-no-change")
    whole = [
        f"{figures.council(council)}: {figures.titles[option]} costs {direction(row['change'])} than no change"
        for council in figures.councils
        for option in figures.options
        if (row := figures.find("costs", council=council, option=option)) is not None and isinstance(row["change"], Decimal)
    ]
    yield text("The scheme can stay as it is. The budget then has to do without what an option would save, or keeps what one would cost.")
    yield Block("list", items=tuple(whole))
    ways = {str(name): way for name, way in wording.doc.other_ways.items()}
    for name in (*ways, *(name for name in declared.other_ways if name not in ways)):
        way, said = ways.get(name), declared.other_ways.get(name)
        yield heading((said.title if said else "") or (str(way.title) if way else name.replace("_", " ").capitalize()), f"way-{name}")
        if way is not None:
            yield text(wording.filled(str(way.says)), source(way.source))
        if way is not None and way.equivalent:
            found = sheet(money.equivalents(figures, wording))
            yield from found or [missing("The equal rise cannot be worked out: no collection rate for the tax base was given.")]
        if said is None:
            yield missing("The council has declared no figure for this way, and no reason for or against it.")
            continue
        if said.says:
            yield text(said.says)
        amount = "no figure was declared" if said.amount is None else pounds(pence(said.amount))
        yield text(f"Amount: {amount}.", said.source)
        yield text(f"The council's reason: {said.reason}") if said.reason else missing("No reason for or against it was declared.")


# ---------------------------------------------------------------------------------------------------------------- people
def people(matter: Matter) -> Iterator[Block]:
    """Gains and losses: in all, by size, and by every group."""
    figures, wording = matter.figures, matter.wording
    if wording.doc.known_only is not None:
        yield text(wording.filled(str(wording.doc.known_only)))
    yield text(
        "An asterisk (*) stands for a figure that is withheld: it tells of fewer than five households, or would let such a figure be worked"
        " out. A change a week is the change of the year, for seven of the days that the award is for."
    )
    for council in figures.scopes:
        if len(figures.scopes) > 1:
            yield heading(figures.council(council), f"people-{council or 'together'}")
        yield from sheet(tables.outcomes(figures, council))
        yield from drawn(charts.distribution(figures, council))
        for found in tables.distribution(figures, council):
            yield from sheet(found)
    elsewhere = set(_characteristics(figures).values())
    if elsewhere:
        yield text("The groups of protected characteristics have their tables under Equality.")
    for council in figures.councils:
        names = tables.group_names(figures, council)
        if names:
            yield heading(f"{figures.council(council)}: every group" if len(figures.councils) > 1 else "Every group", f"groups-{council}")
            for chart in charts.groups(figures, council, names):
                yield from drawn(chart)
            for name in (name for name, title in names.items() if title not in elsewhere):
                yield from sheet(tables.group(figures, council, name))


def equality(matter: Matter) -> Iterator[Block]:
    """Each protected characteristic: its figures, or that the caseload does not hold it."""
    figures = matter.figures
    yield from paragraphs(matter.wording.told(matter.wording.doc.equality))
    held = _characteristics(figures)
    absent = [title for title, _ in figures.study.impact.characteristics if title not in held]
    rows = tuple(
        (title, _held_how(figures, held[title]) if title in held else "no: no figures", held.get(title, ""))
        for title, _ in figures.study.impact.characteristics
    )
    columns = (Column("Protected characteristic"), Column("Held by the caseload"), Column("Told by"))
    yield from sheet(Sheet("characteristics", "Protected characteristics, and what the caseload holds of them", columns, rows))
    if absent:
        yield text(f"Not held, and so in no figure of this paper: {', '.join(absent)}.")
    for council in figures.councils:
        for name, title in tables.group_names(figures, council).items():
            if title in held.values():
                yield from sheet(tables.group(figures, council, name))


def _characteristics(figures: Figures) -> dict[str, str]:
    """The protected characteristics that the caseload holds, with the title of the group that tells of each."""
    titles = {row["group"]: row["group_title"] for row in figures.records("groups") if row["member"]}
    return {title: titles[ref.name] for title, ref in figures.study.impact.characteristics if ref is not None and ref.name in titles}


def _held_how(figures: Figures, group: str) -> str:
    """Whether a group is known of every account, or not of some."""
    lacking = any(not row["member"] for row in figures.records("groups") if row["group_title"] == group)
    return "in part: of some it is not recorded" if lacking else "yes"


def examples(matter: Matter) -> Iterator[Block]:
    """Households that were made up, under each option."""
    if not matter.examples:
        yield missing("No worked examples were given.")
        return
    figures = matter.figures
    yield text("These households were made up to be typical, or to be hit hardest. None of them is a real case.")
    rows: list[tuple[Cell, ...]] = []
    for example in matter.examples:
        before = example.awards.get(figures.baseline)
        for option in (figures.baseline, *figures.options):
            award = example.awards.get(option)
            if award is not None:
                change = None if option == figures.baseline or before is None else award.weekly - before.weekly
                said = f"{example.title}: {example.description}" if example.description else example.title
                rows.append((said, figures.titles[option], award.weekly, change, award.why))
    columns = (Column("Household"), Column("Option"), Column("Award a week", "pounds"), Column("Change a week", "change"), Column("Why"))
    laid = Sheet("examples", "Made-up households under each option", columns, tuple(rows), heads=2)
    yield from sheet(laid if any(row[-1] for row in rows) else tables.without(laid, len(columns) - 1))


def cliffs(matter: Matter) -> Iterator[Block]:
    """Edges at which a pound more of income costs more than a pound."""
    figures = matter.figures
    for place, (option, found) in enumerate(matter.cliffs.items()):
        edges = getattr(found, "edges", found).to_pylist()
        worse = sorted((row for row in edges if row["costs_more"]), key=lambda row: row["lost_a_week"], reverse=True)
        title = figures.titles.get(option, option)
        if not worse:
            yield text(f"{title}: for the households looked at there is no edge at which a pound more costs more than a pound.")
            continue
        rows = tuple(
            (
                row["household"],
                row["amount"],
                row["lost_a_week"],
                row.get("needed_to_be_back"),
                ": ".join(part for part in (row["what"], row["change"]) if part),
                _few(row.get("close_below")),
            )
            for row in worse[:MOST_EDGES]
        )
        columns = (
            Column("Household"),
            Column("At an income of", "pounds"),
            Column("Lost a week", "pounds"),
            Column("Back at", "pounds"),
            Column("What changes there"),
            Column("Households just below", "count"),
        )
        more = f" The {MOST_EDGES} that cost most, of {len(worse)}." if len(worse) > MOST_EDGES else ""
        note = f"Found from the rules' own edges, for made-up households.{more}"
        laid = Sheet(f"cliffs-{place}", f"{title}: where a pound more costs more than a pound", columns, rows, note=note)
        yield from sheet(laid if any(row[-1] is not None for row in rows) else tables.without(laid, len(columns) - 1))


def _few(count: int | None) -> Cell:
    return WITHHELD if count is not None and 0 < count < THRESHOLD else count


# ----------------------------------------------------------------------------------------------- what the law asks besides
def consultation(matter: Matter) -> Iterator[Block]:
    """The steps that the law asks for, with the dates that were declared."""
    wording, declared, figures = matter.wording, matter.declared, matter.figures
    yield from paragraphs(wording.told(wording.doc.consultation))
    rows: list[tuple[Cell, ...]] = []
    for name, step in wording.doc.steps.items():
        found = [one for one in declared.consultation if one.step == str(name) and (not one.council or one.council in figures.councils)]
        for one in found:
            council = figures.council(one.council) if one.council else "All"
            dates = (_when(one.first), _when(one.last))
            rows.append((str(step.title), council, one.whom or "not declared", *dates, one.outcome or "not declared", source(step.source)))
        if not found:
            rows.append((str(step.title), "All", *["not declared"] * 4, source(step.source)))
    columns = (
        Column("Step"),
        Column("Council"),
        Column("With whom, or where"),
        Column("From"),
        Column("To"),
        Column("Outcome"),
        Column("Asked for by"),
    )
    laid = Sheet("consultations", "The steps of consultation, in the order of the law", columns, tuple(rows), heads=2)
    yield from sheet(laid if len(figures.councils) > 1 else tables.without(laid, 1))
    for council in figures.councils:
        yield from _out_of_order(matter, council)


def _when(when: date | None) -> str:
    return day(when) if when is not None else "not declared"


def _out_of_order(matter: Matter, council: str) -> Iterator[Block]:
    steps = list(map(str, matter.wording.doc.steps))
    declared = [(one.step, one.first) for one in matter.declared.consultation if one.council in ("", council) and one.first is not None]
    dates = [min(when for step, when in declared if step == name) for name in steps if any(step == name for step, _ in declared)]
    if dates != sorted(dates):
        title = matter.figures.council(council)
        yield Block("warning", f"{title}: the dates declared do not follow the order in which the law asks for these steps.")


def transitional(matter: Matter) -> Iterator[Block]:
    """What each option does for those who lose by it."""
    figures = matter.figures
    yield from paragraphs(matter.wording.told(matter.wording.doc.transitional))
    for option in figures.options:
        said = matter.declared.options.get(option)
        title = figures.titles[option]
        if said is not None and said.transitional:
            yield text(f"{title}: {said.transitional}")
        else:
            yield missing(f"{title}: no transitional provision was declared. If there is to be none, the council has to decide that too.")


def schemes(matter: Matter) -> Iterator[Block]:
    """The figures that a council decides, under each option, as the rules have them."""
    for place, (title, booklet) in enumerate(matter.schemes):
        yield heading(title, f"scheme-{place}")
        for own in booklet.groups[:1]:
            if own.figures:
                rows = tuple(
                    (one.title, one.words, one.since, one.source + (" (provisional)" if one.provisional else "")) for one in own.figures
                )
                columns = tuple(map(Column, ("What", "Figure", "From", "Source")))
                yield from sheet(Sheet(f"scheme-{place}-figures", f"{title}: {own.title}", columns, rows))
            for number, one in enumerate(own.tables):
                columns = tuple(Column(name) for name in one.sheet.columns)
                found = Sheet(f"scheme-{place}-{number}", f"{title}: {one.title}", columns, one.sheet.rows, note="; ".join(one.sources))
                yield from sheet(found)
