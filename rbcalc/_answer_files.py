"""An answer as files: the paper with its workbook and tables, and the points of a frontier as scenarios."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rbcalc._outputs import OutputFolder, provenance
from rbcalc._paper import write_paper
from rbcalc._scenarios import file_of
from rbcalc._seek import SHOWN

if TYPE_CHECKING:
    from rbcalc._rules import Council, Rules
    from rbcalc._seek import Sought
    from rbcalc._whatif import Answer
    from rbcalc_kernels.program.library import RuleSource


def write_answer(
    rules: Rules,
    councils: Sequence[Council],
    answer: Answer,
    out: Path,
    *,
    declared: Path | None = None,
    reconciliation: Path | None = None,
    households: Path | None = None,
    command: str = "",
    force: bool = False,
) -> list[Path]:
    """Write the paper, the workbook, the tables, the restricted cases and the scenarios, and return the paths, the paper first.

    `declared` is what an officer declares for the paper, `reconciliation` what was found of the baseline, and `households` the
    examples that are shown.  Raises UsageError, DataError, RulesError and OutputError.
    """
    from rbcalc._examples import examples_of

    study = answer.study
    record = None
    if reconciliation is not None:
        from rbcalc._reconcile_record import read_record

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
