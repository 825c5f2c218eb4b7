"""What `rbcalc check` looks at: statute alone, every council for each of its years, and every other file for its form."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from rbcalc._years import FinancialYear
from rbcalc.errors import UsageError
from rbcalc.rulebook.cases import CaseReader
from rbcalc.rulebook.rules import Rules, file_days
from rbcalc_kernels.language.documents import CasesFile, PartnershipFile, RuleFile
from rbcalc_kernels.program.graph import Program, Ref
from rbcalc_kernels.program.linking import link
from rbcalc_kernels.source import Diagnostic, Findings, RulesError

if TYPE_CHECKING:
    from rbcalc.rulebook.rules import Council


@dataclass
class Checked:
    """What was looked at and what was found."""

    findings: Findings = field(default_factory=Findings)
    files: set[Path] = field(default_factory=set)
    programs: int = 0
    cases: int = 0


class Checker:
    """One run of the check."""

    def __init__(self, rules: Rules, council: str | None, year: str | None, own: Sequence[Path] = ()) -> None:
        """Look at the rules, or at one council's, or at one year's; `own` are an officer's own files."""
        self.rules, self.council, self.own = rules, council, tuple(own)
        self.year = FinancialYear.of(year) if year else None
        self.done = Checked()
        self._reader = CaseReader(rules)
        self._idle: dict[Diagnostic, int] = {}
        self._linked_files: Counter[str] = Counter()
        self._proved: set[str] = set()
        if council:
            rules.council(council)

    def everything(self) -> Checked:
        """All the rules, or all of the council that was asked for."""
        if self.council is None:
            for path in self.rules.library.every():
                self._form(path)
            self._statute([])
        names = [self.council] if self.council else [name for name in self.rules.council_names if self._whole(name)]
        for name in names:
            self._council(self.rules.council(name))
        for path in self._case_files():
            self._cases(path)
        root = self.rules.library.root
        return self._finish([root / "councils" / self.council if self.council else root])

    def paths(self, paths: Sequence[Path]) -> Checked:
        """Some files or folders and what they reach."""
        for path in paths:
            for file in sorted(path.rglob("*.yaml")) if path.is_dir() else [path]:
                self._file(file)
        return self._finish(paths)

    def _file(self, path: Path) -> None:
        content = self._form(path)
        if isinstance(content, CasesFile):
            self._cases(path)
        elif isinstance(content, RuleFile) and content.kind in ("statute", "precept"):
            self._statute([path])
        elif isinstance(content, RuleFile) and content.kind == "council":
            self._council_file(path, content)
        elif isinstance(content, RuleFile):
            self._scenario(path)
        elif isinstance(content, PartnershipFile):
            for council in self.rules.partnership(str(content.name)).councils(self.year or str(content.default_year)):
                self._council(council)

    def _form(self, path: Path) -> object:
        """The document in a file, its mistakes kept."""
        self.done.files.add(path)
        source = self.rules.library.open(path, self.done.findings)
        return source.content if source is not None else None

    def _whole(self, name: str) -> bool:
        """Whether all files of a council can be read; what is wrong with the others is known by now."""
        findings = Findings()
        for path in (self.rules.library.root / "councils" / name).rglob("*.yaml"):
            self.rules.library.open(path, findings)
        return not findings

    def _years(self) -> list[FinancialYear]:
        if self.year is not None:
            return [self.year]
        there = {year for name in self.rules.council_names if self._whole(name) for year in self.rules.council(name).years()}
        return [min(there), max(there)] if there else [FinancialYear(2025)]

    def _statute(self, paths: list[Path]) -> None:
        for year in dict.fromkeys(self._years()):
            if paths:
                self._link(paths, year, complete=False, quiet=True)
                continue
            for together in self._programs_of_statute():
                self._link(together, year, complete=False)

    def _programs_of_statute(self) -> list[list[Path]]:
        """The files that make a program together: those of each subject, with all that they extend; of the others, those of each folder.

        Letters are laid over a subject's rules one at a time, with what they extend.
        """
        from rbcalc.letters.letter import FOLDER

        subjects, library = self.rules.subjects, self.rules.library
        everything = self._statutes()
        letters = [path for path in everything if path.is_relative_to(library.root / FOLDER)]
        statutes = [path for path in everything if path not in letters]
        found = [[path for path in statutes if subject.name in subjects.reached(path)] for subject in subjects.all]
        if not any(found):
            return [everything]
        shared = {source.file for path in letters for source in library.closure([path], Findings())[:-1]}
        letters = [path for path in letters if library.shown(path) not in shared]
        served = {source.file for together in found for source in library.closure(together, Findings())}
        others: dict[Path, list[Path]] = {}
        for path in statutes:
            if library.shown(path) not in served:
                others.setdefault(path.parent, []).append(path)
        return [together for together in (*found, *others.values(), *([path] for path in letters)) if together]

    def _statutes(self) -> list[Path]:
        """The rule files of the folder that are no council's."""
        library = self.rules.library
        return [path for path in library.named("england") if isinstance(getattr(library.open(path, Findings()), "content", None), RuleFile)]

    def _link(self, paths: Sequence[Path], year: FinancialYear, *, name: str = "", complete: bool = True, quiet: bool = False) -> None:
        try:
            linked = link(self.rules.library, paths, year.first_day, year.last_day, name=name, complete=complete)
            if not quiet:
                # What statute alone does not use may serve the councils.
                self.done.findings.extend(found for found in linked.findings if found.code != "RB085")
        except RulesError as error:
            self.done.findings.extend(error.diagnostics)
        self.done.programs += 1

    def _note(self, findings: Iterable[Diagnostic], program: Program) -> None:
        """Keep what was found; what one program does not use counts only if no program with the same file does."""
        self._linked_files.update(list(program.sources))
        for found in findings:
            if found.code == "RB085":
                self._idle[found] = self._idle.get(found, 0) + 1
            else:
                self.done.findings.extend([found])

    def _finish(self, asked: Sequence[Path]) -> Checked:
        """What was found in all; what nothing uses only in the files asked about, since others may serve rules not looked at."""
        folders = [path.resolve() for path in asked]
        idle = [
            found
            for found, times in self._idle.items()
            if times >= self._linked_files[found.span.file]
            and any(Path(found.span.file).resolve().is_relative_to(folder) for folder in folders)
        ]
        self.done.findings.extend(idle)
        return self.done

    def _council(self, council: Council) -> None:
        """Link every year of every subject."""
        for subject in self.rules.subjects.all:
            self._subject(council.of(subject.name), first=subject is self.rules.subjects.all[0])

    def _subject(self, council: Council, *, first: bool) -> None:
        years = [year for year in council.years() if self.year is None or year == self.year]
        if first and self.year is not None and (self.own or (not years and self.council)):
            years = [self.year]
        for year in years:
            self._linked(council, year)

    def _linked(self, council: Council, year: FinancialYear, scenarios: Sequence[Path] = ()) -> None:
        try:
            linked = council.linked(year, scenarios, self.own)
            self._note(linked.findings, linked.program)
            self._prove(linked.program)
        except RulesError as error:
            self.done.findings.extend(error.diagnostics)
        self.done.programs += 1

    def _prove(self, program: Program) -> None:
        """Prove that every figure that people ask for fits the machine exactly.  Raises RulesError.

        Programs of one shape have one proof: those of councils that differ in figures alone.
        """
        from rbcalc_kernels.compiled.plans import shape
        from rbcalc_kernels.compiled.proving import prove

        reported = (ref for report in program.reports for ref in (*report.by, *report.sums))
        compared = (ref for impact in program.impacts for ref in (impact.amount, impact.days, *impact.by))
        rules = {Ref(rule.entity, rule.name) for rule in program.rules}
        wanted = [ref for ref in (*program.outputs, *reported, *compared) if ref in rules]
        found = shape(program, wanted)
        if found not in self._proved:
            prove(program, wanted)
            self._proved.add(found)

    def _council_file(self, path: Path, file: RuleFile) -> None:
        try:
            folder = path.resolve().relative_to(self.rules.library.root.resolve() / "councils")
        except ValueError:
            self._own_file(path, file)
            return
        first, last = file_days(file)
        for subject in self.rules.subjects.about(path):
            council = self.rules.council(folder.parts[0]).of(subject.name)
            for year in council.years():
                if year.first_day <= last and year.last_day >= first and self.year in (None, year):
                    self._linked(council, year)

    def _own_file(self, path: Path, file: RuleFile) -> None:
        """A council file outside the rules: it needs a council to belong to."""
        first, _ = file_days(file)
        if self.council is None:
            raise UsageError("RC041", f"whose file is {path}?", hint=f"add --council NAME, one of {', '.join(self.rules.council_names)}")
        self.own = tuple(dict.fromkeys((*self.own, path)))
        self._linked(self.rules.council(self.council), self.year or FinancialYear.containing(max(first, 0)))

    def _scenario(self, path: Path) -> None:
        if self.council is None:
            raise UsageError("RC041", f"for which council is the scenario {path}?", hint="add --council NAME and --year YEAR")
        for subject in self.rules.subjects.about(path):
            council = self.rules.council(self.council).of(subject.name)
            self._linked(council, self.year or council.years()[-1], [path])

    def _cases(self, path: Path) -> None:
        self.done.files.add(path)
        try:
            self.done.cases += len(self._reader.read(path))
        except RulesError as error:
            self.done.findings.extend(error.diagnostics)

    def _case_files(self) -> Iterator[Path]:
        from rbcalc.rulebook.cases import case_files

        root = self.rules.library.root
        for path in case_files([root / "councils" / self.council if self.council else root]):
            source = self.rules.library.open(path, Findings())
            if (
                source is not None
                and isinstance(source.content, CasesFile)
                and self.year in (None, FinancialYear.of(str(source.content.year)))
            ):
                yield path


def github(diagnostic: Diagnostic) -> str:
    """A finding as GitHub's runners take it."""
    span = diagnostic.span
    text = f"{diagnostic.message}" + (f" ({diagnostic.help})" if diagnostic.help else "")
    text = text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    place = f"file={span.file},line={span.line},col={span.column},endLine={span.end_line},endColumn={span.end_column}"
    return f"::{diagnostic.severity} {place},title={diagnostic.code}::{text}"


def as_data(diagnostic: Diagnostic) -> dict[str, object]:
    """A finding for a program to read."""
    span = diagnostic.span
    return {
        "severity": diagnostic.severity,
        "code": diagnostic.code,
        "message": diagnostic.message,
        "file": span.file,
        "line": span.line,
        "column": span.column,
        "label": diagnostic.label,
        "help": diagnostic.help,
    }
