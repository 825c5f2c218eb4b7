"""What the commands that suppose something share: how a question is put, and how its answer is printed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rbcalc_cli.asking import caseload_folder, check_caseload
from rbcalc_cli.options import Format, counted, say
from rbcalc_cli.output import document, put, table

if TYPE_CHECKING:
    from rbcalc._years import FinancialYear
    from rbcalc.comparing.study import Option
    from rbcalc.rulebook.rules import Council, Rules
    from rbcalc.supposing.seek import Sought
    from rbcalc.supposing.sweep import Bench, Point
    from rbcalc.supposing.whatif import Answer, Question

PRINTED = ("costs", "outcomes", "distribution", "changes")
"""The tables that are printed; the others are written with --out, and printed as JSON."""

ABOUT = ("option", "council", "group", "member", "outcome", "label", "body", "check")
"""The columns that say what a row of a comparison is about."""

UNTOLD = ("title", "order", "range", "outcome", "holds_back", "suppressed", "suppressed_columns")

MOST_POINTS = 40


@contextmanager
def caseload_of(
    book: Rules,
    councils: list[Council],
    partnership: str | None,
    year: FinancialYear,
    given: tuple[Path | None, bool],
    own: list[Path],
) -> Iterator[Path]:
    """The folder of the caseload that was given, or (where a sample was asked for instead) of one that is made up.

    A sample for a year without figures is that of the last year that has them.  Raises UsageError.
    """
    caseload, sample = given
    check_caseload(caseload, sample=sample)
    if caseload is None and year not in (held := councils[0].years()):
        year = held[-1]
    with caseload_folder(book, councils, partnership, year, caseload, own) as folder:
        yield folder


def check_free(out: Path | None, *, force: bool) -> None:
    """See that results can go to a folder, before the long work.  Raises UsageError and OutputError."""
    if out is not None:
        from rbcalc.running.outputs import OutputFolder

        OutputFolder.check(out, force=force)


def question_of(
    book: Rules,
    councils: Sequence[Council],
    year: FinancialYear,
    caseload: Path,
    *,
    scenarios: Sequence[str] = (),
    rules_from: Sequence[str] = (),
    baseline_year: str | None = None,
    growth: tuple[bool, str | None] = (False, None),
    rates: Sequence[str] = (),
    **rest: Any,
) -> Question:
    """A question from the words of a command line.  Raises UsageError."""
    from rbcalc._years import FinancialYear
    from rbcalc.errors import UsageError
    from rbcalc.running.roll_forward import growth_of, uprating_for
    from rbcalc.running.tax_base import collection_rates
    from rbcalc.supposing.whatif import Question

    pairs = [text.partition("/") for text in rules_from]
    for text, (_, slash, folder) in zip(rules_from, pairs, strict=True):
        if not slash or not folder:
            raise UsageError("RC060", f"which of the files of {text}?", hint="give COUNCIL/FOLDER, a folder below the council's")
    if len({folder for _, _, folder in pairs}) > 1:
        raise UsageError("RC060", "files of different folders", hint="compare them one after the other")
    if growth[1] is not None and not growth[0]:
        raise UsageError("RC052", "earnings grow only when facts are rolled forward", hint="add --roll-forward")
    return Question(
        councils,
        year,
        caseload,
        scenarios=[[Path(part) for part in text.split("+")] for text in scenarios],
        schemes_of=[name for name, _, _ in pairs],
        folder=pairs[0][2] if pairs else "",
        baseline_year=FinancialYear.of(baseline_year) if baseline_year else None,
        uprating=uprating_for(book, year, growth_of(growth[1])) if growth[0] else None,
        collection_rates=collection_rates(rates, [council.name for council in councils]),
        **rest,
    )


def print_answer(answer: Answer, form: Format, *, restricted: bool) -> None:
    """The comparison, with counts under five held back unless it is for the officer alone."""
    shown = answer.comparison if restricted else answer.comparison.publishable()
    if form is not Format.TABLE:
        _machine(answer, shown, form)
    else:
        titles = {option.name: option.title for option in answer.study.options}
        several = len(answer.study.councils) > 1
        for name in PRINTED:
            rows = shown.tables[name].to_pylist() if name in shown.tables else []
            # Of one council nothing is told twice; of several the costs are told by council, the rest of all together.
            rows = [row for row in rows if (name == "costs" and several) or bool(row["council"]) != several]
            if rows:
                print_rows(_heading(name), rows, form, titles)
                put()
        _say_changes(answer.study.options[1:])
    for note in (*answer.notes, *shown.notes, *answer.study.assumptions):
        say(f"note: {note}")
    if answer.sought is not None:
        print_sought(answer.sought, form if form is Format.TABLE else None)
    say("HYPOTHETICAL: these are suppositions, not awards")


def _say_changes(options: Sequence[Option]) -> None:
    """Say what each option changes; of one that is like an earlier one, in what it differs."""
    from rbcalc.supposing.scenario_words import beside

    for place, option in enumerate(options):
        title, lines = beside(option.changes, [(other.title, other.changes) for other in options[:place]])
        if title:
            say(f"{option.title}: as {title}" + (", but for:" if lines else ""))
        for line in (*lines, *([option.says] if option.says else [])):
            say(f"{option.title}: {line}")


def print_rows(title: str, rows: Sequence[Mapping[str, Any]], form: Format, titles: Mapping[str, str]) -> None:
    """Rows of a comparison as a table for people."""
    names = [name for name in rows[0] if name not in UNTOLD]
    lines = []
    for row in rows:
        hidden = row.get("suppressed_columns") or ()
        lines.append([_cell(name, row[name], titles, hidden=name in hidden) for name in names])
    table(title, [_heading(name) for name in names], lines, form)


def _cell(name: str, value: Any, titles: Mapping[str, str], *, hidden: bool) -> str:
    if value is None:
        return "held back" if hidden else "-"
    if name == "option":
        return titles.get(str(value), str(value))
    if name == "council":
        return str(value) or "all"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:,}" if not isinstance(value, str) else value.replace("_", " ")


def _heading(name: str) -> str:
    return name.replace("_", " ")


def _machine(answer: Answer, shown: Any, form: Format) -> None:
    tables = {name: _plain(made.to_pylist()) for name, made in shown.tables.items()}
    if form is Format.JSON:
        study = answer.study
        document(
            {
                "year": str(study.year),
                "hypothetical": True,
                "options": [{"name": each.name, "title": each.title, "changes": list(each.changes)} for each in study.options],
                "notes": [*answer.notes, *shown.notes, *study.assumptions],
                "caseload": study.digest,
                **({"sought": sought_words(answer.sought)} if answer.sought is not None else {}),
                **tables,
            }
        )
        return
    rows = []
    for name, found in tables.items():
        for row in found:
            about = [str(row.get(key) or "") for key in ABOUT]
            rows += [[name, *about, key, str(value)] for key, value in row.items() if value is not None and key not in (*ABOUT, "title")]
    table("whatif", ["table", *ABOUT, "figure", "value"], rows, form)


def _plain(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    from decimal import Decimal

    return [{key: str(value) if isinstance(value, Decimal) else value for key, value in row.items()} for row in rows]


def print_points(bench: Bench, points: Sequence[Point], form: Format) -> None:
    """The points of a sweep."""
    from rbcalc.supposing.sweep import table_of

    made = table_of(bench, points)
    _points(counted(len(points), "point"), made, form)
    say_lacking(bench)


def say_lacking(bench: Bench) -> None:
    """Say which facts the figures rest on that no row of the caseload gives."""
    for told in bench.study.lacking(bench.option):
        say(f"note: {bench.option.title}: {told}")


def _points(title: str, made: Any, form: Format) -> None:
    most = MOST_POINTS if form is Format.TABLE else made.num_rows
    rows = made.slice(0, most).to_pylist()
    table(title, [_heading(name) for name in made.column_names], [[_text(value) for value in row.values()] for row in rows], form)
    if made.num_rows > most:
        say(f"the first {most} of {made.num_rows:,}; --format csv prints all")


def _text(value: Any) -> str:
    return value if isinstance(value, str) else f"{value:,}"


def print_sought(found: Sought, form: Format | None) -> None:
    """The best point and the frontier; without a form only what is said about them."""
    from rbcalc.supposing.sweep import table_of

    if form is Format.TABLE:
        point, met = found.best or found.nearest, found.best is not None
        _points(str(found.target) if met else f"NOT MET, the nearest: {found.target}", table_of(found.bench, [point]), form)
        put()
        _points("The frontier: no other point is better in cost, largest loss and losers at once", found.table, form)
    elif form is Format.JSON:
        document({"year": str(found.bench.study.year), "hypothetical": True, **sought_words(found)})
    elif form is Format.CSV:
        _points(str(found.target), found.told, form)
    for note in found.notes:
        say(f"note: {note}")
    say(f"{counted(len(found.tried), 'point')} tried")


def sought_words(found: Sought) -> dict[str, Any]:
    """What a search found, for a program: the best point, or the nearest where nothing meets the target, and the frontier."""
    from rbcalc.supposing.sweep import table_of

    nearest, *_ = _plain(table_of(found.bench, [found.nearest]).to_pylist())
    return {
        "target": str(found.target),
        "limits": [str(limit) for limit in found.bench.limits],
        "met": found.best is not None,
        "best": nearest if found.best is not None else None,
        "nearest": nearest,
        "frontier": _plain(found.table.to_pylist()),
        "tried": len(found.tried),
        "notes": list(found.notes),
    }
