"""A question about next year, from what was asked to what it comes to: options, single changes, and what was sought."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rbcalc._years import FinancialYear
from rbcalc.comparing.comparison import Comparison, Single, comparison
from rbcalc.comparing.study import Option, Study
from rbcalc.errors import UsageError
from rbcalc.rulebook.dials import Dial, dial_of, read, readers, setting_of, supposed, type_of, value_of
from rbcalc.supposing.scenario_words import in_words, told_apart
from rbcalc.supposing.scenarios import baseline_of, file_of, is_for, neighbour, opened, option_of, turned_option
from rbcalc.supposing.seek import Sought, cost_of, limit_of, seek, target_of
from rbcalc.supposing.singles import Singles
from rbcalc.supposing.sweep import Bench, Point, grid, ranges, values_of

if TYPE_CHECKING:
    from rbcalc.rulebook.rules import Council
    from rbcalc.running.roll_forward import Uprating
    from rbcalc_kernels.program.graph import Program, Value
    from rbcalc_kernels.program.library import RuleSource


@dataclass(slots=True)
class Question:
    """What an officer asks: who, when, on which caseload, and what is supposed.

    `scenarios` are options, each one file or several laid over each other; `settings` are dials, turned on top of each option or by
    themselves.  `schemes_of` are councils whose `folder` is put in the place of the councils' own.  `baseline` are the scenarios of what
    everything is compared with, or a year.  `vary`, `target` and `limits` ask for figures to be sought.
    """

    councils: Sequence[Council]
    year: FinancialYear
    caseload: Any
    scenarios: Sequence[Sequence[Any]] = ()
    settings: Sequence[str] = ()
    schemes_of: Sequence[str] = ()
    folder: str = ""
    baseline: Sequence[Any] = ()
    baseline_year: FinancialYear | None = None
    vary: Sequence[str] = ()
    target: str = ""
    limits: Sequence[str] = ()
    singly: bool = True
    charges: Sequence[Path] = ()
    column_map: Path | None = None
    uprating: Uprating | None = None
    collection_rates: Mapping[str, Fraction] = field(default_factory=dict)
    impact: str = ""
    threads: int = 2


@dataclass(slots=True)
class Answer:
    """What came of a question: the study, the comparison, what was sought, and notes for people."""

    study: Study
    comparison: Comparison
    sought: Sought | None
    notes: tuple[str, ...]

    def __repr__(self) -> str:
        return f"Answer({self.comparison!r})"


def laid_out(question: Question) -> tuple[Option, list[Option]]:
    """The baseline of a question and the options that files give, before anything is worked out."""
    rules = question.councils[0].rules
    given = [[opened(rules, each) for each in option] for option in question.scenarios]
    given += [[neighbour(rules, question.councils, other, question.folder, question.year)] for other in question.schemes_of]
    baseline = baseline_of(rules, question.baseline, [source for option in given for source in option])
    if question.baseline_year is not None:
        baseline = replace(baseline, year=question.baseline_year, title=f"The rules of {question.baseline_year}")
    laid = replace(baseline, year=None)
    return baseline, [option_of(laid, sources) for sources in given]  # made once, so that their rules are linked once


def study_of(question: Question, asked: Sequence[str] = ()) -> tuple[Study, list[Option]]:
    """The study of a question with its baseline worked out, and its options, not yet worked out.

    `asked` are further figures with their ranges, those of a sweep.
    """
    baseline, options = laid_out(question)
    laid = replace(baseline, year=None)
    _check_years(question, options)
    _check(question, options or [laid], asked)
    study = Study(
        question.councils,
        question.year,
        question.caseload,
        baseline=baseline,
        impact=question.impact,
        charges=question.charges,
        column_map=question.column_map,
        uprating=question.uprating,
        threads=question.threads,
        options=options,
    )
    if question.settings:
        options = [turned(study, option, question.settings) for option in options or [laid]]
    elif not options and question.baseline_year is not None and not question.vary:
        options = [Option(f"{question.year}", f"The rules of {question.year}")]
    return study, options


def _check_years(question: Question, options: Sequence[Option]) -> None:
    """Refuse an option with a file that is in force on no day of the year: it could only come to no change.  Raises UsageError."""
    first, last = (date.fromordinal(date(1970, 1, 1).toordinal() + day) for day in (question.year.first_day, question.year.last_day))
    for source in (source for option in options for source in option.scenarios if not isinstance(source, Path)):
        file = file_of(source)
        begins, ends = str(file.from_ or first), str(file.to or last)
        if begins > str(last) or ends < str(first):
            hint = f"ask about another year with --year, or correct from: and to: in the file; {question.year} is from {first} to {last}"
            raise UsageError(
                "RC060",
                f"{source.file} is in force on no day of {question.year}, but from {begins}{f' to {ends}' if file.to else ''}",
                hint=hint,
            )


def _check(question: Question, options: Sequence[Option], asked: Sequence[str]) -> None:
    """Find what is wrong with the words of a question before the caseload is read.  Raises UsageError and RulesError."""
    if question.target or question.vary:
        cost_of(question.target or "cost = baseline")
    for text in question.limits:
        limit_of(text)
    wanted = [_pair(text) for text in (*question.vary, *asked)]
    if not wanted and not question.settings:
        return
    for option in options:
        programs = {each.name: each.program(question.year, option.scenarios, tuple(question.charges)) for each in question.councils}
        ranges(programs, dict(wanted))
        _settings(programs, question.settings)


def answered(question: Question) -> Answer:
    """Work out a question.  Raises UsageError, DataError and RulesError."""
    if not (question.scenarios or question.settings or question.schemes_of or question.vary or question.baseline_year):
        raise UsageError("RC060", "nothing is supposed", hint="give a scenario file, --set name=value, or --vary name=from:to:step")
    study, options = study_of(question)
    notes: list[str] = []
    sought: Sought | None = None
    if question.vary:
        base = options[0] if options else replace(study.baseline, year=None)
        sought = sought_of(question, study, base)
        notes += sought.notes
        if sought.best is not None and options and _stands(sought.bench.programs, sought.best.settings):
            notes.append(f"{base.title}: the best point is the option as it stands, so that it is told once")
            options[0] = replace(base, says=_how(question, sought))
        elif sought.best is not None:
            best = _found(study, base, sought.bench.programs, sought.best.settings)
            options = [*options, replace(best, says=_how(question, sought))]
    singles: list[Single] = []
    apart = Singles(study)
    for option in options:
        told = replace(option, changes=changes_of(study, option))
        study.add(told)
        if question.singly:
            alone, left = apart.of(told)
            singles += alone
            notes += left
    study.notes += tuple(supposed_notes(study))
    notes += study.notes
    made = comparison(study, alone=singles, collection_rates=dict(question.collection_rates) or None)
    return Answer(study, made, sought, tuple(notes))


def _stands(programs: Mapping[str, Program], settings: Mapping[Dial, Value]) -> bool:
    """Whether dials are set to what they are already, for every council whose rules read them."""
    return all(value_of(programs[council], dial) == value for dial, value in settings.items() for council in readers(programs, dial))


def _found(study: Study, base: Option, programs: Mapping[str, Program], settings: Mapping[Dial, Value]) -> Option:
    """The best point as an option, on top of the one that was searched from."""
    own = _own(study, base)
    found = _turned(study, base, programs, settings)
    return replace(found, title=f"{base.title}: {sources_words(found)}" if own else f"Found: {found.title}")


def _how(question: Question, found: Sought) -> str:
    """How the best point was found, in words."""
    study = found.bench.study
    titles = {name: group.title for groups in study.groups.values() for name, group in groups.items()}
    limits = "".join(
        f"; nobody loses more than £{limit.pence / 100:.2f} a week"
        + (f" where {titles[limit.group]} is {limit.member.replace('_', ' ')}" if limit.group else "")
        for limit in found.bench.limits
    )
    return f"Sought among {len(found.tried):,} points ({', '.join(question.vary)}): {found.target}{limits}."


def _own(study: Study, option: Option) -> list[RuleSource]:
    """What an option lays over the baseline."""
    return [source for source in option.scenarios[len(study.baseline.scenarios) :] if not isinstance(source, Path)]


def sources_words(option: Option) -> str:
    """The words of the last scenario of an option."""
    last = option.scenarios[-1]
    return last.name if isinstance(last, Path) else str(file_of(last).title)


def sought_of(question: Question, study: Study, option: Option) -> Sought:
    """The search that a question asks for, from an option."""
    vary = dict(_pair(text) for text in question.vary)
    target = target_of(question.target or "cost = baseline", study)
    return seek(study, option, vary, target, [limit_of(text) for text in question.limits])


def swept(question: Question, asked: Sequence[str], limits: Sequence[str] = ()) -> tuple[Bench, list[Point]]:
    """A sweep over figures, from the first option of a question or from its baseline."""
    study, options = study_of(question, asked)
    option = options[0] if options else replace(study.baseline, year=None)
    wanted = dict(_pair(text) for text in asked)
    points = grid(study.programs(option), wanted)
    bench = Bench(study, option, list(wanted), [limit_of(text) for text in limits], values_of(points))
    return bench, bench.through(points)


def turned(study: Study, option: Option, texts: Sequence[str]) -> Option:
    """An option with dials turned, as name=value, on top of its scenarios."""
    programs = study.programs(option)
    return _turned(study, option, programs, _settings(programs, texts))


def _turned(study: Study, option: Option, programs: Mapping[str, Program], settings: Mapping[Dial, Value]) -> Option:
    """An option with dials set; where only their figures change, its rules are not linked for it."""
    found = turned_option(replace(study.baseline, year=None), _own(study, option), programs, settings, study.year)
    under = len(option.scenarios)
    if found.scenarios[:under] != option.scenarios:
        return found
    laid = [source for source in found.scenarios[under:] if not isinstance(source, Path)]
    for council, program in programs.items():
        own = {dial: value for dial, value in settings.items() if council in readers(programs, dial)}
        made = supposed(program, own, [source for source in laid if is_for(source, council)]) if own else program
        if made is not None:
            study.known(found, council, made)
    return found


def _settings(programs: Mapping[str, Program], texts: Sequence[str]) -> dict[Dial, Value]:
    """What dials are set to, as name=value."""
    settings: dict[Dial, Value] = {}
    for text in texts:
        dial, value = setting_of(text)
        if dial in settings:
            raise UsageError("RC061", f"{dial} is set twice", hint="keep one of them")
        settings[dial] = read(value, type_of(programs[readers(programs, dial)[0]], dial))
    return settings


def _pair(text: str) -> tuple[Dial, str]:
    name, equals, rest = text.partition("=")
    if not equals:
        raise UsageError("RC061", f"no range in '{text}'", hint="write name=from:to:step, as capital_limit=£6000:£16000:£1000")
    return dial_of(name), rest


def changes_of(study: Study, option: Option) -> tuple[str, ...]:
    """What an option changes, in words: what all councils have in common once, the rest once for each council that it touches."""
    told = {name: in_words(study.program(study.baseline, name), study.program(option, name)) for name in study.councils}
    first, *others = told.values()
    shared = [line for line in first if all(line in lines for lines in others)]
    return (*shared, *(f"{study.titles[name]}: {line}" for name, lines in told.items() for line in lines if line not in shared))


def supposed_notes(study: Study) -> list[str]:
    """Figures that go on or are put up, counted by what is done with them."""
    notes = []
    for council in study.councils:
        program = study.outcomes[study.options[-1].name][council].program
        ways: dict[str, list[str]] = {}
        figures = {name: program.parameters.get(name) or program.tables.get(name) for name, _ in program.supposed}
        titles = told_apart({name: figure.title if figure else name.replace("_", " ") for name, figure in figures.items()})
        for name, how in program.supposed:
            ways.setdefault(how, []).append(titles[name])
        for how, names in ways.items():
            shown = "; ".join(names[:5]) + (f"; and {len(names) - 5} more" if len(names) > 5 else "")
            told = f"{len(names)} figures: each {how}" if len(names) > 1 else f"one figure {how}"
            notes.append(f"{study.titles[council]}: {told}: {shown}")
    return notes
