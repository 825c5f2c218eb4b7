"""The paper on a what-if: a page that a council can table, a workbook, tables for machines, and case lists in a folder of their own.

Everything is made from what a comparison may publish, from what the officer declared, and from the wording that the rules keep.  The page
is one file without scripts that asks for nothing from anywhere.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol

from rbcalc.errors import OutputError
from rbcalc.papers import tables
from rbcalc.papers.charts import warmed
from rbcalc.papers.file import Declared, read_declared
from rbcalc.papers.sections import Award, Block, Example, Matter, Section, sections
from rbcalc.papers.tables import Figures, Sheet
from rbcalc.papers.words import Wording, day, joined, pence, percent, sentence, shortened, wording
from rbcalc.running.outputs import OutputFolder, versions

if TYPE_CHECKING:
    from jinja2 import Template

    from rbcalc.rulebook.rules import Rules

PAGE: Final = "public/paper.html"
BOOK: Final = "public/paper.xlsx"
_TEMPLATE: Final = "paper.html.j2"
_STYLE: Final = "paper.css"
_SHORT: Final = 12


class Reconciliation(Protocol):
    """How far the baseline agrees with the live system."""

    @property
    def match_rate(self) -> Fraction:
        """The share of accounts that agree."""

    @property
    def threshold(self) -> Fraction | None:
        """The share from which a baseline is trusted."""

    def trusted(self, threshold: Fraction) -> bool:
        """Whether the share reaches a threshold."""


@dataclass(frozen=True, slots=True)
class Trust:
    """What the first page says of the baseline."""

    trusted: bool
    heading: str
    told: str


@dataclass(frozen=True, slots=True)
class Paper:
    """A paper, ready for its template."""

    title: str
    councils: tuple[str, ...]
    year: str
    declared: Declared
    hypothetical: bool
    incomplete: str
    trust: Trust
    glance: Sheet
    sections: tuple[Section, ...]
    provenance: tuple[tuple[str, tuple[str, ...]], ...]
    short: str
    made: str

    @property
    def stamp(self) -> str:
        """What stands at the head of every page."""
        marks = [
            *(["HYPOTHETICAL"] if self.hypothetical else []),
            *([] if self.trust.trusted else ["BASELINE NOT RECONCILED"]),
            *(["INCOMPLETE"] if self.incomplete else []),
        ]
        return " \u00b7 ".join(marks)


def write_paper(
    comparison: Any,
    study: Any,
    out_dir: Path | OutputFolder,
    *,
    rules: Rules | None = None,
    reconciliation: Reconciliation | None = None,
    declared: Declared | Path | None = None,
    examples: Iterable[Example | tuple[str, str, Mapping[str, Any]]] = (),
    cliffs: Any = None,
    schemes: Sequence[tuple[str, Any]] = (),
    command: str = "",
    councils: Sequence[str] = (),
    force: bool = False,
) -> list[Path]:
    """Write the paper, the workbook, the tables and the case lists into a folder, and return their paths, the page first.

    `declared` is what `read_declared` gave, or its file.  `examples` are made-up households.  `cliffs` is one find of edges, or several by
    the name of the option; `schemes` are titles with booklets.  `councils` chooses some of the study's.  Given an output folder that the
    caller finishes, files are only entered.  Raises UsageError, RulesError, OutputError.
    """
    from rbcalc.rulebook.rules import load

    if not isinstance(out_dir, OutputFolder):
        OutputFolder.check(out_dir, force=force)
    warmed()
    worded = wording(rules or load(), study.impact.name, study.year)
    if isinstance(declared, Path):
        steps = map(str, worded.doc.steps)
        declared = read_declared(declared, councils=study.councils, options=[option.name for option in study.options], steps=steps)
    said = declared or Declared()
    figures = Figures.of(comparison, study, councils, {name: one.title for name, one in said.options.items()})
    matter = Matter(figures, worded, said, tuple(map(_example, examples)), _cliffs(cliffs, figures), tuple(schemes))
    paper = composed(matter, reconciliation, command)
    folder = out_dir if isinstance(out_dir, OutputFolder) else OutputFolder.made(out_dir, force=force)
    try:
        return _written(paper, matter, comparison, folder, finish=folder is not out_dir)
    except OSError as error:
        hint = "choose a folder that you may write to, with space left"
        raise OutputError("RC049", f"the paper cannot be written into {folder.path} ({error.strerror})", hint=hint) from error


def _written(paper: Paper, matter: Matter, comparison: Any, folder: OutputFolder, *, finish: bool) -> list[Path]:
    from rbcalc.papers.data import write_cases, write_tables
    from rbcalc.papers.workbook import write_workbook

    folder.place(PAGE).write_text(rendered(paper), encoding="utf-8", newline="\n")
    folder.keep(PAGE, 0)
    write_workbook(paper, matter, folder.place(BOOK))
    folder.keep(BOOK, 0)
    names = [PAGE, BOOK, *write_tables(paper, matter, folder), *write_cases(comparison, matter.figures, folder)]
    if finish:
        names.append(folder.finish({"paper": paper.title, **{term: list(told) for term, told in paper.provenance}}).name)
    return [folder.path / name for name in names]


def _example(given: Example | tuple[str, str, Mapping[str, Any]]) -> Example:
    if isinstance(given, Example):
        return given
    title, description, awards = given
    return Example(
        title, description, {name: one if isinstance(one, Award) else Award(pence(one[0]), one[1]) for name, one in awards.items()}
    )


def _cliffs(given: Any, figures: Figures) -> dict[str, Any]:
    if given is None:
        return {}
    return dict(given) if isinstance(given, Mapping) else {figures.options[0] if figures.options else figures.baseline: given}


# ----------------------------------------------------------------------------------------------------------- composing
def composed(matter: Matter, reconciliation: Reconciliation | None = None, command: str = "") -> Paper:
    """The paper on a matter."""
    study, declared, figures = matter.figures.study, matter.declared, matter.figures
    made = datetime.now(UTC)
    digests = _digests(study, figures)
    base = study.outcomes[figures.baseline][figures.councils[0]].program.digest
    names = {name.partition(" ")[0]: name for name in versions_of()}
    short = (
        f"{names['rbcalc']} \u00b7 rules {base[:_SHORT]} \u00b7 caseload {study.digest[:_SHORT] or 'not known'}"
        f" \u00b7 made {made:%Y-%m-%d %H:%M} UTC"
    )
    return Paper(
        declared.title or f"{study.impact.title} for {study.year}",
        tuple(figures.council(name) for name in figures.councils),
        str(study.year),
        declared,
        any(option.hypothetical for option in study.options),
        _incomplete(study, figures),
        trust(reconciliation, declared.threshold),
        tables.glance(figures),
        (*sections(matter), _assumptions(matter), _checks(matter)),
        (
            ("Made", (f"{made:%Y-%m-%d %H:%M:%S} UTC",)),
            ("Command", (command or "not given",)),
            ("Versions", tuple(names.values())),
            ("Caseload", (f"sha256 {study.digest}" if study.digest else "not known",)),
            ("Rules", digests),
            ("Declared by the officer", (declared.file or "nothing",)),
            ("Rows refused on import", (f"{study.rejects:,}",)),
        ),
        short,
        f"{made:%Y-%m-%d}",
    )


def versions_of() -> list[str]:
    """The versions that a paper rests on, in words."""
    from importlib.metadata import version

    found = {**versions(), **{name: version(name) for name in ("altair", "vl-convert-python", "xlsxwriter", "jinja2")}}
    return [f"{name} {number}" for name, number in found.items()]


def _digests(study: Any, figures: Figures) -> tuple[str, ...]:
    return tuple(
        f"{figures.titles[option.name]}, {figures.council(council)}: sha256 {study.outcomes[option.name][council].program.digest}"
        for option in study.options
        for council in figures.councils
    )


def _incomplete(study: Any, figures: Figures) -> str:
    """What is in no total: rows that were refused, and accounts without a result under the option that has most of them."""
    rejected = max(sum(int(study.outcomes[option.name][name].rejected.sum()) for name in figures.councils) for option in study.options)
    parts = [
        *([f"{study.rejects:,} rows of the caseload were refused on import"] if study.rejects else []),
        *([f"{rejected:,} accounts could not be worked out"] if rejected else []),
    ]
    return f"{sentence(joined(parts))}. They are in no total." if parts else ""


def trust(reconciliation: Reconciliation | None, threshold: Fraction | None = None) -> Trust:
    """What the first page says of the baseline: its match rate, and whether it may be trusted."""
    untrusted = "Baseline not reconciled"
    if reconciliation is None:
        return Trust(False, untrusted, "The baseline has not been held against the live system. Its figures may be wrong.")
    rate = reconciliation.match_rate
    wanted = threshold if threshold is not None else reconciliation.threshold
    share = _share(rate)
    if wanted is None:
        return Trust(False, untrusted, f"Match rate with the live system: {share}. No threshold was declared, so it cannot be trusted.")
    if reconciliation.trusted(wanted):
        return Trust(True, "Baseline reconciled", f"Match rate with the live system: {share}. The threshold declared is {_share(wanted)}.")
    return Trust(False, untrusted, f"Match rate with the live system: {share}, below the threshold declared of {_share(wanted)}.")


def _share(rate: Fraction) -> str:
    """A share, never rounded up to all."""
    from decimal import ROUND_DOWN, Decimal

    exact = Decimal(rate.numerator * 100) / Decimal(rate.denominator)
    return percent(exact.quantize(Decimal("0.01"), ROUND_DOWN), 2)


def _assumptions(matter: Matter) -> Section:
    study, figures = matter.figures.study, matter.figures
    provisional = tables.provisional(figures)
    blocks: list[Block] = []
    for title, name, items, none in (
        ("Assumed, because the caseload does not say", "assumed", study.assumptions, "Nothing was assumed."),
        ("Carried over or put up", "notes", study.notes, "Nothing was carried over and nothing was put up."),
        ("Not yet confirmed", "provisional", provisional, "No figure in use is provisional."),
    ):
        blocks.append(Block("heading", title, name=name))
        blocks.append(Block("list", items=tuple(map(str, items))) if items else Block("text", none))
    return Section("assumptions", "What the figures rest on", tuple(blocks))


def _checks(matter: Matter) -> Section:
    figures = matter.figures
    files = joined([tables.CASES.format(council=name) for name in figures.councils])
    blocks = [
        Block(
            "text",
            f"Each figure opens to its cases in {files}, which lie beside this paper and are not for publication. Below each table"
            " stands which of their rows it is made of. The workbook and the tables for machines hold the same figures as this paper.",
        )
    ]
    found = tables.checks(figures)
    if found is not None:
        failed = [row for row in found.rows if row[-1] != "yes"]
        if failed:
            blocks.append(Block("warning", f"{len(failed)} of {len(found.rows)} kinds of checks do not hold. Do not use these figures."))
        blocks.append(Block("sheet", sheet=found))
    return Section("checking", "How to check the figures", tuple(blocks))


# ----------------------------------------------------------------------------------------------------------- rendering
def rendered(paper: Paper) -> str:
    """The paper as one page, which asks for nothing and runs nothing."""
    style = stylesheet(paper)
    allowed = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{allowed}'; base-uri 'none'; form-action 'none'"
    dates = {"dated": day(paper.declared.dated) if paper.declared.dated else ""}
    return _template().render(paper=paper, style=style, policy=policy, **dates)


def stylesheet(paper: Paper) -> str:
    """The style of the page, with what every printed page says in its margins."""
    said = {
        "stamp": paper.stamp,
        "title": shortened(paper.title, 80),
        "provenance": paper.short,
    }
    style = (Path(__file__).parents[1] / "templates" / _STYLE).read_text(encoding="utf-8")
    for name, words in said.items():
        style = style.replace(f"'{{{name}}}'", quoted(words))
    return style


def quoted(words: str) -> str:
    """Words as a string of a stylesheet, in which nothing but letters, digits and spaces stands for itself."""
    safe = "".join(sign if sign.isascii() and (sign.isalnum() or sign == " ") else f"\\{ord(sign):06x} " for sign in words)
    return f"'{safe}'"


@cache
def _template() -> Template:
    from jinja2 import FileSystemLoader, StrictUndefined
    from jinja2.sandbox import ImmutableSandboxedEnvironment
    from markupsafe import Markup

    made = ImmutableSandboxedEnvironment(
        autoescape=True,
        undefined=StrictUndefined,
        loader=FileSystemLoader(Path(__file__).parents[1] / "templates"),
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    # A drawing holds nothing but shapes and text (_paper_charts), and the strings of the style are quoted.
    made.filters["safely"] = Markup
    return made.get_template(_TEMPLATE)


__all__ = ["Award", "Declared", "Example", "Paper", "Trust", "Wording", "composed", "rendered", "trust", "write_paper"]
