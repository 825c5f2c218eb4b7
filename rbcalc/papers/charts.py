"""The charts of a paper: drawn by Altair, made into SVG by vl-convert without any network, with text as text.

Nothing is told by colour alone: losses stand on one side and gains on the other, options have shapes of their own, and figures are written
beside what they belong to.  Each chart has a sentence for those who do not see it, and a table with the same figures.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from textwrap import wrap
from typing import TYPE_CHECKING, Any, Final
from xml.etree import ElementTree as ET

from rbcalc.papers.tables import WITHHELD, Figures
from rbcalc.papers.words import direction, joined, number, pounds, shortened

if TYPE_CHECKING:
    import altair as alt

COLOURS: Final = ("#0063a6", "#b34700", "#00735c", "#7a3e9d", "#4d4d4d", "#8a6100")
"""Told apart by people who see few colours, and each at least 4.5 to 1 against white."""
SHAPES: Final = ("circle", "square", "triangle-up", "diamond", "cross", "triangle-down")
LOSS: Final = COLOURS[1]
GAIN: Final = COLOURS[0]
PLAIN: Final = COLOURS[4]
INK: Final = "#1a1a1a"
GRID: Final = "#d4d4d4"
MOST: Final = len(SHAPES)
"""As many options are drawn; tables have all."""

_WIDTH: Final = 640
_STEP: Final = 20  # from one row to the next
_TALLEST: Final = 28  # so many rows, headings among them, are drawn at a size that print keeps legible
_LONGEST: Final = 170  # of a title: five lines
_LINES: Final = "split(datum.label, '\\n')"
_FONT: Final = "Arial, Helvetica, Liberation Sans, sans-serif"
_SVG: Final = "http://www.w3.org/2000/svg"
_KEPT: Final = frozenset(
    (
        *("d", "x", "y", "x1", "x2", "y1", "y2", "cx", "cy", "r", "rx", "ry", "width", "height", "viewBox", "transform", "display"),
        *("fill", "fill-opacity", "stroke", "stroke-width", "stroke-opacity", "stroke-dasharray", "stroke-linecap", "stroke-linejoin"),
        *("stroke-miterlimit", "opacity", "text-anchor", "font-family", "font-size", "font-weight", "font-style", "dominant-baseline"),
        *("clip-path", "id", "dy"),
    )
)


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart: its name, its title, what it shows in a sentence, the SVG that is being drawn, and the name of its table."""

    name: str
    title: str
    told: str
    drawing: Future[str]
    table: str

    @property
    def svg(self) -> str:
        """The chart as SVG, once it is drawn."""
        return self.drawing.result()


@cache
def _drawer() -> ThreadPoolExecutor:
    """Draws charts beside whatever else is done: vl-convert leaves the interpreter to others meanwhile."""
    return ThreadPoolExecutor(1, thread_name_prefix="charts")


def warmed() -> Future[str]:
    """Make ready to draw, which takes longer than drawing."""
    return _drawer().submit(_drawn, {"data": {"values": [{}]}, "mark": "point"})


def _drawn(spec: dict[str, Any]) -> str:
    import vl_convert

    return str(vl_convert.vegalite_to_svg(spec, allowed_base_urls=[]))


def cost(figures: Figures) -> Chart | None:
    """What each option costs, by council."""
    rows = [
        {
            "council": shortened(figures.council(council), 40),
            "option": _label(figures.titles[option]),
            "amount": float(row["amount"]),
            "label": pounds(row["amount"], whole=True)
            + ("" if option == figures.baseline else f"  ({pounds(row['change'], whole=True, signed=True)})"),
            "kind": "baseline" if option == figures.baseline else "option",
        }
        for council in figures.scopes
        for option in (figures.baseline, *figures.options)
        if (row := figures.find("costs", council=council, option=option)) is not None and isinstance(row["amount"], Decimal)
    ]
    if not rows:
        return None
    import altair as alt

    top = max((float(str(row["amount"])) for row in rows), default=1.0)
    order = [_label(figures.titles[option]) for option in (figures.baseline, *figures.options)]
    base = alt.Chart().encode(
        x=alt.X("amount:Q", title=None, axis=None, scale=alt.Scale(domain=[0, top * 1.42])),
        y=alt.Y("option:N", title=None, sort=order, axis=alt.Axis(labelExpr=_LINES)),
    )
    bars = base.mark_bar(height=15).encode(
        color=alt.Color("kind:N", legend=None, scale=alt.Scale(domain=["baseline", "option"], range=[PLAIN, GAIN]))
    )
    words = base.mark_text(align="left", dx=5, color=INK).encode(text="label:N")
    step = 6 + 14 * max(label.count("\n") + 1 for label in order)
    drawn = _by_row(bars + words, rows, "council", [figures.council(c) for c in figures.scopes], _WIDTH - 200, step=step)
    told = ". ".join(_cost_told(figures, council) for council in figures.scopes)
    return Chart("chart-cost", "What each option costs in the year", f"Bar chart. {told}.", _svg(drawn, "chart-cost"), "costs")


def _cost_told(figures: Figures, council: str) -> str:
    said = []
    for option in (figures.baseline, *figures.options):
        row = figures.find("costs", council=council, option=option)
        if row is not None and isinstance(row["amount"], Decimal):
            less = "" if option == figures.baseline else f", {direction(row['change'])}"
            said.append(f"{figures.titles[option]} {pounds(row['amount'], whole=True)}{less}")
    return f"{figures.council(council)}: {'; '.join(said)}"


def distribution(figures: Figures, council: str) -> Chart | None:
    """How many households lose or gain how much a week: losses to the left, gains to the right."""
    found = [row for row in figures.all("distribution", council=council) if row["option"] in figures.options[:MOST]]
    if not found:
        return None
    labels = dict.fromkeys(row["label"] for row in found)
    rows: list[dict[str, Any]] = []
    for row in found:
        count, change = row["accounts"], row["change"]
        sign = _side(str(row["range"]), change)
        known = isinstance(count, int)
        rows.append(
            {
                "option": _label(figures.titles[row["option"]]),
                "label": row["label"],
                "count": sign * count if known else 0,
                "left": (number(count) if known else "*") if sign < 0 else "",
                "right": (number(count) if known else "*") if sign > 0 else "",
                "middle": f"{number(count) if known else '*'} households" if sign == 0 else "",
                "side": "loss" if sign < 0 else "gain",
            }
        )
    import altair as alt

    top = max((abs(row["count"]) for row in rows), default=0) or 1
    options = [_label(figures.titles[option]) for option in figures.options[:MOST]]
    columns = len(options) if len(options) <= 3 else 2
    base = alt.Chart().encode(
        x=alt.X("count:Q", title=None, axis=None, scale=alt.Scale(domain=[-top * 1.5, top * 1.5])),
        y=alt.Y("label:N", title=None, sort=list(labels)),
    )
    bars = base.mark_bar(height=15).encode(
        color=alt.Color("side:N", legend=None, scale=alt.Scale(domain=["loss", "gain"], range=[LOSS, GAIN]))
    )
    drawn = alt.layer(
        bars,
        base.mark_text(align="right", dx=-4, color=INK).encode(text="left:N"),
        base.mark_text(align="left", dx=4, color=INK).encode(text="right:N"),
        base.mark_text(align="left", dx=6, color=INK, fontStyle="italic").encode(text="middle:N"),
        alt.Chart().mark_rule(color=INK).encode(x=alt.datum(0)),
    )
    drawn = drawn.properties(width=max(150, (_WIDTH - 230) // columns), height=alt.Step(21))
    facet = alt.Facet("option:N", title=None, sort=options, header=_header())
    whole = drawn.facet(facet=facet, columns=columns, data=_values(rows)) if len(options) > 1 else _with(drawn, rows)
    title = f"{figures.council(council)}: households by the change of their award a week"
    told = ". ".join(_moved(figures, council, option) for option in figures.options[:MOST])
    name = f"distribution-{council or 'together'}"
    told = f"Bar chart, losses to the left and gains to the right. {told}."
    return Chart(f"chart-{name}", title, told, _svg(whole, f"chart-{name}"), name)


def _side(code: str, change: Any) -> int:
    """Whether a range of the distribution is of losses, of gains, or of neither."""
    if isinstance(change, Decimal) and change:
        return 1 if change > 0 else -1
    return -1 if code.startswith("lose") else 1 if code.startswith("gain") else 0


def _moved(figures: Figures, council: str, option: str) -> str:
    counts = {row["outcome"]: row["accounts"] for row in figures.all("outcomes", council=council, option=option)}
    said = [f"{number(count)} {_outcome(outcome)}" for outcome, count in counts.items() if count and count is not WITHHELD]
    hidden = [_outcome(outcome) for outcome, count in counts.items() if count is WITHHELD]
    parts = [*([joined(said)] if said else []), *([f"withheld is how many are {joined(hidden)}"] if hidden else [])]
    return f"{figures.titles[option]}: {'; '.join(parts) or 'nobody'}"


def _outcome(name: str) -> str:
    return name.replace("_", " ")


def groups(figures: Figures, council: str, names: Mapping[str, str]) -> list[Chart]:
    """The average change a week of every group, one mark for each option; several charts where groups are many."""
    parts: list[list[str]] = []
    room = 0
    for name in names:
        size = 1 + len({row["member"] for row in figures.all("groups", council=council, group=name)})
        if size > room:
            parts.append([])
            room = _TALLEST
        parts[-1].append(name)
        room -= size
    reach = max((abs(float(row["week"])) for row in _weeks(figures, council, names)), default=0) * 1.1 or 1
    drawn = [_grouped(figures, council, {name: names[name] for name in part}, reach, place) for place, part in enumerate(parts)]
    return [chart for chart in drawn if chart is not None]


def _weeks(figures: Figures, council: str, names: Mapping[str, str]) -> list[dict[str, Any]]:
    return [
        {
            "group": shortened(row["group_title"], 60),
            "member": shortened(row["label"], 44),
            "option": _label(figures.titles[row["option"]]),
            "week": float(row["average_week"]),
        }
        for row in figures.all("groups", council=council)
        if row["group"] in names and row["option"] in figures.options[:MOST] and isinstance(row["average_week"], Decimal)
    ]


def _grouped(figures: Figures, council: str, names: Mapping[str, str], reach: float, place: int) -> Chart | None:
    """Some of the groups, on a scale that all of them share."""
    rows = _weeks(figures, council, names)
    if not rows:
        return None
    import altair as alt

    titles = [_label(figures.titles[option]) for option in figures.options[:MOST]]
    members = list(dict.fromkeys(shortened(row["label"], 44) for row in figures.all("groups", council=council)))
    base = alt.Chart().encode(
        x=alt.X(
            "week:Q",
            title="Average change a week in pounds: losses to the left, gains to the right",
            scale=alt.Scale(domain=[-reach, reach]),
            axis=alt.Axis(grid=True, tickCount=7, format="+.2~f"),
        ),
        y=alt.Y("member:N", title=None, sort=members, axis=alt.Axis(grid=True, gridColor=GRID)),
    )
    legend = alt.Legend(
        title=None,
        orient="top",
        direction="horizontal",
        columns=2,
        columnPadding=40,
        symbolSize=90,
        labelFontSize=13,
        labelLimit=0,
        labelExpr=_LINES,
    )
    points = base.mark_point(filled=True, size=70, opacity=1).encode(
        color=alt.Color("option:N", sort=titles, scale=alt.Scale(domain=titles, range=list(COLOURS[: len(titles)])), legend=legend),
        shape=alt.Shape("option:N", sort=titles, scale=alt.Scale(domain=titles, range=list(SHAPES[: len(titles)])), legend=legend),
    )
    zero = alt.Chart().mark_rule(color=INK).encode(x=alt.datum(0))
    if len(titles) > 1:  # equal figures of two options stand beside each other
        points = points.encode(yOffset=alt.YOffset("option:N", sort=titles, scale=alt.Scale(range=[4, _STEP - 4])))
    drawn = _by_row(zero + points, rows, "group", list(names.values()), _WIDTH - 250, independent=True)
    title = f"{figures.council(council)}: average change of the award a week, by group{', continued' if place else ''}"
    worst = min(rows, key=lambda row: float(str(row["week"])))
    best = max(rows, key=lambda row: float(str(row["week"])))
    told = (
        f"Dot chart. The groups' averages go from {_week(worst)} ({_place(worst)})"
        f" to {_week(best)} ({_place(best)}). The tables below give every figure."
    )
    name = f"chart-groups-{council or 'together'}{f'-{place + 1}' if place else ''}"
    return Chart(name, title, told, _svg(drawn, name), f"group-{council or 'together'}-{next(iter(names))}")


def _place(row: Mapping[str, Any]) -> str:
    return f"{row['group']}: {row['member']}, {' '.join(row['option'].split())}"


def _week(row: Mapping[str, Any]) -> str:
    return f"{pounds(Decimal(str(row['week'])), signed=True)} a week"


# ------------------------------------------------------------------------------------------------------------- drawing
def _header() -> alt.Header:
    import altair as alt

    return alt.Header(
        labelFontSize=14, labelFontWeight="bold", labelColor=INK, labelAnchor="start", labelLimit=400, labelOrient="top", labelExpr=_LINES
    )


def _label(title: str) -> str:
    """A title as the lines of a label, whole, so that no two options look alike."""
    return "\n".join(wrap(shortened(title, _LONGEST), 34))


def _by_row(
    drawn: Any,
    rows: Sequence[Mapping[str, Any]],
    field: str,
    order: Sequence[str],
    width: int,
    *,
    independent: bool = False,
    step: int = _STEP,
) -> Any:
    """One picture below the other for each value of a field; a single one without a heading."""
    import altair as alt

    drawn = drawn.properties(width=width, height=alt.Step(step, **{"for": "position"}))
    values = list(dict.fromkeys(str(row[field]) for row in rows))
    if len(values) < 2:
        return _with(drawn, rows)
    sort = [shortened(name, 60 if independent else 40) for name in order]
    facet = alt.Row(f"{field}:N", title=None, sort=sort, header=_header())
    whole = drawn.facet(row=facet, data=_values(rows), spacing=step - 8)
    return whole.resolve_scale(y="independent") if independent else whole


def _with(drawn: Any, rows: Sequence[Mapping[str, Any]]) -> Any:
    return drawn.properties(data=_values(rows))


def _values(rows: Sequence[Mapping[str, Any]]) -> Any:
    import altair as alt

    return alt.InlineData(values=list(rows))


def _svg(drawn: Any, name: str) -> Future[str]:
    """The chart as SVG for a page: only shapes and text, with where its title and its sentence stand."""
    spec = drawn.configure(
        font=_FONT,
        background="#ffffff",
        aria=False,
        view={"stroke": None},
        axis={
            "labelColor": INK,
            "titleColor": INK,
            "labelFontSize": 13,
            "titleFontSize": 13,
            "titleFontWeight": "normal",
            "labelLimit": 240,
            "domain": False,
            "ticks": False,
            "gridColor": GRID,
            "labelPadding": 6,
        },
        text={"fontSize": 13},
    ).to_dict(validate=False)
    return _drawer().submit(lambda: _cleaned(_drawn(spec), name))


def _cleaned(svg: str, name: str) -> str:
    root = ET.fromstring(svg)  # noqa: S314 - our own chart, made a moment ago
    for element in root.iter():
        for key in [key for key in element.attrib if key not in _KEPT]:
            del element.attrib[key]
        for key in ("id", "clip-path"):
            if key in element.attrib:
                value = element.attrib[key]
                element.attrib[key] = f"{name}-{value}" if key == "id" else value.replace("#", f"#{name}-")
    for parent in list(root.iter()):
        for child in [child for child in parent if child.get("display") == "none" or _empty(child)]:
            parent.remove(child)
    root.attrib |= {"role": "img", "aria-labelledby": f"{name}-title", "aria-describedby": f"{name}-told", "class": "chart"}
    root.attrib.pop("id", None)
    ET.register_namespace("", _SVG)
    return ET.tostring(root, encoding="unicode")


def _empty(element: ET.Element) -> bool:
    """A shape that draws nothing: Vega frames each group with two of them."""
    tag = element.tag.removeprefix(f"{{{_SVG}}}")
    return tag == "path" and not element.get("d", "").strip("M0,hvz Z") and "stroke" not in element.attrib
