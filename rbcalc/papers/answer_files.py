"""An answer as files: the paper with its workbook and tables, and the points of a frontier as scenarios."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from rbcalc.errors import UsageError
from rbcalc.papers.paper import write_paper
from rbcalc.running.outputs import OutputFolder, provenance
from rbcalc.supposing.scenarios import file_of
from rbcalc.supposing.seek import SHOWN
from rbcalc.supposing.whatif import laid_out

if TYPE_CHECKING:
    from rbcalc.comparing.study import Option, Study
    from rbcalc.incomes.cliffs import Cliffs
    from rbcalc.rulebook.rules import Council, Rules
    from rbcalc.schemes.booklet import Booklet
    from rbcalc.supposing.seek import Sought
    from rbcalc.supposing.whatif import Answer, Question
    from rbcalc_kernels.program.library import RuleSource

NO_SCHEME: Final = "RC045"
"""What the booklet of a council without such a scheme is refused with."""


def check_declared(rules: Rules, question: Question, path: Path) -> None:
    """See that what an officer declares can be used, before the long work.  Raises UsageError with every mistake and its place.

    The names of options are held against those of scenario files, unless others come to be in the course of the work.
    """
    from rbcalc.papers.file import read_declared
    from rbcalc.papers.words import steps_of

    named = None
    if not (question.settings or question.vary or question.baseline_year):
        baseline, options = laid_out(question)
        named = [baseline.name, *(option.name for option in options)]
    councils = [council.name for council in question.councils]
    read_declared(path, councils=councils, options=named, steps=steps_of(rules, question.impact))


def write_answer(
    rules: Rules,
    councils: Sequence[Council],
    answer: Answer,
    out: Path,
    *,
    declared: Path | None = None,
    reconciliation: Path | None = None,
    households: Path | None = None,
    schemes: bool = False,
    cliffs: bool = False,
    charges: Sequence[Path] = (),
    command: str = "",
    force: bool = False,
) -> list[Path]:
    """Write the paper, the workbook, the tables, the restricted cases and the scenarios, and return the paths, the paper first.

    `declared` is what an officer declares for the paper, `reconciliation` what was found of the baseline, and `households` the
    examples that are shown.  With `schemes` the paper holds the figures of each option, with `cliffs` the edges of each; `charges` are
    council files of the officer's own.  Raises UsageError, DataError, RulesError and OutputError.
    """
    from rbcalc.papers.examples import examples_of

    study = answer.study
    record = None
    if reconciliation is not None:
        from rbcalc.reconciling.record import read_record

        record = read_record(reconciliation)
        record.check(study.digest, {name: outcome.program.digest for name, outcome in study.outcomes[study.baseline.name].items()})
    folder = OutputFolder.made(out, force=force)
    written = write_paper(
        answer.comparison,
        study,
        folder,
        rules=rules,
        reconciliation=record,
        declared=declared,
        examples=examples_of(rules, study, households),
        schemes=_schemes(rules, councils, study, charges) if schemes else (),
        cliffs=_cliffs(councils, study, charges) if cliffs else None,
        command=command,
    )
    for number, option in enumerate(study.options[1:], 1):
        for place, source in enumerate(source for source in option.scenarios if not isinstance(source, Path)):
            path = f"scenarios/{number:02d}_{place:02d}.yaml"
            _entered(folder, path, _text(source))
    if answer.sought is not None:
        _enter_frontier(answer.sought, folder, "frontier/")
    digests = {name: {"rules": outcome.program.digest} for name, outcome in study.outcomes[study.options[-1].name].items()}
    facts = provenance(command, digests, {"digest": study.digest})
    folder.finish({"result": "whatif", "year": str(study.year), "hypothetical": True, "complete": not study.rejects, **facts})
    return written


def _schemes(rules: Rules, councils: Sequence[Council], study: Study, charges: Sequence[Path]) -> list[tuple[str, Booklet]]:
    """The booklet of each council's scheme under each option; a council without such a scheme has none."""
    from rbcalc.schemes.booklet import Maker, booklet_file

    path = booklet_file(rules)
    found = []
    for council in councils:
        for option in study.options:
            supposed = replace(council, scenarios=(*council.scenarios, *option.scenarios))
            try:
                made = Maker(supposed, option.year or study.year, path, charges).made()
            except UsageError as error:
                if error.code != NO_SCHEME:
                    raise
                continue
            found.append((_title(councils, council, option), made))
    return found


def _cliffs(councils: Sequence[Council], study: Study, charges: Sequence[Path]) -> dict[str, Cliffs]:
    """The edges of each council's scheme under each option, for the typical households of the rules."""
    from rbcalc.incomes.cliffs import cliffs

    return {
        option.name if len(councils) == 1 else _title(councils, council, option): cliffs(
            council, option.year or study.year, scenarios=option.scenarios, charges=charges
        )
        for council in councils
        for option in study.options
    }


def _title(councils: Sequence[Council], council: Council, option: Option) -> str:
    return option.title if len(councils) == 1 else f"{council.title}: {option.title}"


def write_frontier(found: Sought, out: Path, *, force: bool = False) -> Path:
    """Write each point of a frontier as a scenario that reproduces it, the cheapest first, with the table of them all."""
    folder = OutputFolder.made(out, force=force)
    _enter_frontier(found, folder, "")
    study = found.bench.study
    digests = {name: {"rules": outcome.program.digest} for name, outcome in study.outcomes[study.baseline.name].items()}
    folder.finish(
        {
            "result": "seek",
            "year": str(study.year),
            "hypothetical": True,
            "complete": not study.rejects,
            **provenance("rbcalc seek", digests, {"digest": study.digest}),
        }
    )
    return folder.path


def _enter_frontier(found: Sought, folder: OutputFolder, under: str) -> None:
    import pyarrow as pa
    import pyarrow.csv as pacsv

    sink = pa.BufferOutputStream()
    pacsv.write_csv(found.table, sink)
    _entered(folder, f"{under}frontier.csv", sink.getvalue().to_pybytes().decode())
    points = found.frontier[:: -(-len(found.frontier) // SHOWN)]  # spread over all of it; the table has every point
    if found.best is not None and found.best not in points:
        points.insert(0, found.best)
    for number, point in enumerate(points, 1):
        name = "best" if point is found.best else f"{number:03d}"
        sources = found.scenarios(point)
        for source in sources:  # councils whose rows of a table differ have a file each
            whose = "_".join(("", *map(str, file_of(source).only_for))) if len(sources) > 1 else ""
            _entered(folder, f"{under}{name}{whose}.yaml", source.text)


def _entered(folder: OutputFolder, name: str, text: str) -> None:
    folder.place(name).write_text(text, encoding="utf-8", newline="\n")
    folder.keep(name, 0)


def _text(source: RuleSource) -> str:
    return source.text or f"# {file_of(source).title}\n"
