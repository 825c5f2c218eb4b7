"""What-if from Python: runs compared, many sets of figures swept, and the figures that meet a target sought."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rbcalc._years import FinancialYear
from rbcalc.comparing.comparison import Comparison, comparison
from rbcalc.comparing.study import Option, Study
from rbcalc.errors import UsageError
from rbcalc.rulebook.rules import Council, Partnership
from rbcalc.supposing.scenarios import file_of
from rbcalc.supposing.seek import Sought
from rbcalc.supposing.sweep import table_of
from rbcalc.supposing.whatif import Question, changes_of, sought_of, study_of, swept

if TYPE_CHECKING:
    from rbcalc.running.run import Run


def compare(run: Run, *others: Run) -> Comparison:
    """Runs of one caseload in memory, the first being the baseline.

    Each run is made with its own rules: `service.calculate(...)` and `service.with_scenario(...).calculate(...)`.
    Raises UsageError where they are not of the same councils, of the same caseload, or with the same charges of the officer's own.
    """
    if not others:
        raise UsageError("RC060", "nothing to compare with", hint="compare(run, other): each made with its own rules")
    base = Option("baseline", _title(run) or "No change", run.councils[0].scenarios, run.hypothetical)
    councils = [replace(council, scenarios=()) for council in run.councils]
    # Scenarios may ask for facts that the other runs did not read.
    widest = max((run, *others), key=lambda each: max(len(program.inputs) for program in each.summary.programs.values()))
    study = Study(councils, run.summary.year, widest.caseload, baseline=base, charges=run.charges)
    for number, other in enumerate(others, 1):
        if [each.name for each in other.councils] != [each.name for each in run.councils]:
            raise UsageError("RC060", "the runs are not of the same councils", hint="compare runs of one service")
        if other.caseload is not run.caseload and other.caseload.digest != run.caseload.digest:
            raise UsageError("RC060", "the runs are not of the same caseload", hint="give both runs the same folder or tables")
        if other.charges != run.charges:
            raise UsageError("RC060", "the runs have other charges of your own", hint="give both the same, and what differs as a scenario")
        title = _title(other) or f"{other.summary.year}"
        name = title if title not in study.outcomes else f"{title} ({number})"
        option = Option(name, title, other.councils[0].scenarios, other.hypothetical, year=other.summary.year)
        study.add(replace(option, changes=changes_of(study, option)))
    return comparison(study)


def sweep(
    service: Council | Partnership,
    caseload: Any,
    year: str | FinancialYear | None,
    vary: Mapping[str, str],
    *,
    scenario: Any = None,
    limits: Sequence[str] = (),
    **options: Any,
) -> Any:
    """Every combination of the values of some figures on one caseload, as an Arrow table with a row for each.

    `vary` gives for each figure (or cell of a table, `name[key, edge]`) a range `from:to:step` or values set apart by commas.
    `scenario` is laid over the rules first: a path, its text, a mapping, or several in a list.  Money is decimal, in pounds;
    `largest_weekly_loss` is in pounds a week.  Year None is a partnership's own.  Raises UsageError, DataError and RulesError.
    """
    question = _question(service, caseload, year, scenario, options)
    return table_of(*swept(question, [f"{name}={values}" for name, values in vary.items()], limits))


def seek(
    service: Council | Partnership,
    caseload: Any,
    year: str | FinancialYear | None,
    vary: Mapping[str, str],
    target: str = "cost = baseline",
    limits: Sequence[str] = (),
    *,
    scenario: Any = None,
    **options: Any,
) -> Sought:
    """The values of some figures that meet a target within limits, and the frontier of what can be had.

    `vary` and `scenario` as for `sweep`; a target is `cost <= £9.18m` or `cost = baseline`, a limit `loss <= £5/week`, or with
    `where GROUP = MEMBER`.  Raises UsageError, DataError and RulesError.
    """
    question = _question(service, caseload, year, scenario, options)
    question.vary, question.target, question.limits = [f"{name}={values}" for name, values in vary.items()], target, limits
    study, found = study_of(question)
    return sought_of(question, study, found[0] if found else replace(study.baseline, year=None))


def _question(
    service: Council | Partnership, caseload: Any, year: str | FinancialYear | None, scenario: Any, options: Mapping[str, Any]
) -> Question:
    if isinstance(service, Partnership):
        when = service.default_year if year is None else FinancialYear.of(year)
        councils = service.councils(when)
    else:
        if year is None:
            raise UsageError("RC040", "which financial year?", hint="write 2026-27")
        when, councils = FinancialYear.of(year), [service]
    given = [] if scenario is None else [list(scenario) if isinstance(scenario, list | tuple) else [scenario]]
    return Question(councils, when, caseload, scenarios=given, **options)


def _title(run: Run) -> str:
    sources = [source for source in run.councils[0].scenarios if not isinstance(source, Path)]
    return " + ".join(str(file_of(source).title) for source in sources)
