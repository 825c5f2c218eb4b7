"""The rules of a folder: councils, partnerships, and the program of a council for a year."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from rbcalc._places import rules_root
from rbcalc._years import FinancialYear
from rbcalc.errors import UsageError
from rbcalc.rulebook.kept import Kept, KeptFiles
from rbcalc_kernels.source import Findings, RulesError, suggest

# What reads rule files is brought in only when rules must be read: a run on rules that are kept does without.
if TYPE_CHECKING:
    from rbcalc.rulebook.subjects import Subjects
    from rbcalc.running.run import Run
    from rbcalc_kernels.language.documents import Document, RuleFile
    from rbcalc_kernels.program.graph import Program
    from rbcalc_kernels.program.library import Library, RuleSource
    from rbcalc_kernels.program.linking import Linked

FOREVER: Final = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Council:
    """A council: who it is, its rule files, and its program for a year, of one subject."""

    rules: Rules = field(repr=False, compare=False)
    name: str
    scenarios: tuple[Path | RuleSource, ...] = field(default=(), repr=False)
    subject: str = ""  # the first where none is named

    @property
    def folder(self) -> Path:
        """Where its files are."""
        return self.rules.root / "councils" / self.name

    @property
    def title(self) -> str:
        """Its full name."""
        from rbcalc_kernels.language.documents import AuthorityFile

        document = self.rules.document_at(self.folder / "council.yaml")
        return str(document.title) if isinstance(document, AuthorityFile) else self.name.replace("_", " ").title()

    @property
    def facts(self) -> dict[str, Any]:
        """Who the council is, as its council.yaml says."""
        from rbcalc_kernels.language.documents import AuthorityFile

        document = self.rules.document_at(self.folder / "council.yaml")
        return document.model_dump() if isinstance(document, AuthorityFile) else {}

    @property
    def profile(self) -> dict[str, Any]:
        """Published sizes, for sample caseloads; empty when there are none."""
        from rbcalc_kernels.language.documents import ProfileFile

        path = self.folder / "profile.yaml"
        document = self.rules.document_at(path) if path.is_file() else None
        return document.model_dump() if isinstance(document, ProfileFile) else {}

    def of(self, subject: str) -> Council:
        """The council with its rules of another subject.  Raises UsageError when the rules have no such subject."""
        subjects = self.rules.subjects
        found = subjects.named(subject)
        return replace(self, subject="" if found is subjects.all[0] else found.name)

    def files(self) -> list[Path]:
        """Its rule files of the subject."""
        from rbcalc_kernels.language.documents import RuleFile

        paths = [path for path in sorted(self.folder.rglob("*.yaml")) if isinstance(self.rules.document_at(path), RuleFile)]
        return self.rules.subjects.files(paths, self.subject)

    def years(self) -> list[FinancialYear]:
        """The years that it can be billed for: those whose members of its own lists its files give, if they have such lists."""
        from rbcalc_kernels.language.documents import RuleFile

        found: set[FinancialYear] = set()
        documents = [document for path in self.files() if isinstance(document := self.rules.document_at(path), RuleFile)]
        listing = [document for document in documents if any(entry.members for entry in document.lists.values())]
        for document in listing or documents:
            first, last = file_days(document)
            if first > -FOREVER and last < FOREVER:
                found.update(
                    FinancialYear(year) for year in range(FinancialYear.containing(first).begins, FinancialYear.containing(last).begins + 1)
                )
        return sorted(found)

    def linked(self, year: str | FinancialYear, scenarios: Sequence[Path | RuleSource] = (), own: Sequence[Path] = ()) -> Linked:
        """The checked program with its warnings.  `own` are further council files, such as an officer's own charges.

        Raises RulesError when the rules are wrong, UsageError when the council has no charges for the year.
        """
        return self.rules.linked(self.name, FinancialYear.of(year), (*self.scenarios, *scenarios), tuple(own), self.subject)

    def with_scenario(self, *scenarios: Any) -> Council:
        """The council as scenarios suppose it: paths of files, their text, or mappings as a file would hold them.

        What is calculated with it is hypothetical, and `rebill` refuses it.  Raises UsageError and RulesError.
        """
        from rbcalc.supposing.scenarios import opened

        return replace(self, scenarios=(*self.scenarios, *(opened(self.rules, each) for each in scenarios)))

    def calculate(self, caseload: Any, year: str | FinancialYear, **options: Any) -> Run:
        """Work out a caseload of this council in memory; options as for `rbcalc.rebill`."""
        from rbcalc.running.run import calculate

        return calculate([self], year, caseload, **options)

    def program(self, year: str | FinancialYear, scenarios: Sequence[Path | RuleSource] = (), own: Sequence[Path] = ()) -> Program:
        """The checked program of the council for a year; raises as `linked` does."""
        return self.rules.program(self.name, FinancialYear.of(year), (*self.scenarios, *scenarios), tuple(own), self.subject)

    def known(self, program: Program, year: FinancialYear, scenarios: Sequence[Path | RuleSource], own: Sequence[Path] = ()) -> None:
        """Let a program stand for what linking with scenarios would give, where that is known without it."""
        self.rules.known[self.name, year, (*self.scenarios, *scenarios), tuple(own), self.subject] = program


@dataclass(frozen=True, slots=True)
class Partnership:
    """Councils that share a service, each with its own rules."""

    rules: Rules = field(repr=False, compare=False)
    name: str
    title: str
    standing: str
    default_year: FinancialYear
    memberships: tuple[tuple[str, int, int], ...]  # council, first day, last day
    scenarios: tuple[Path | RuleSource, ...] = field(default=(), repr=False)

    def with_scenario(self, *scenarios: Any) -> Partnership:
        """The partnership as scenarios suppose it, each council's rules overlaid; as `Council.with_scenario`."""
        from rbcalc.supposing.scenarios import opened

        return replace(self, scenarios=(*self.scenarios, *(opened(self.rules, each) for each in scenarios)))

    def councils(self, year: str | FinancialYear) -> list[Council]:
        """The members on any day of a year.  Raises UsageError when there are none."""
        when = FinancialYear.of(year)
        names = [name for name, first, last in self.memberships if first <= when.last_day and last >= when.first_day]
        if not names:
            raise UsageError(
                "RC042", f"{self.title} had no members in {when}", hint="choose a year of its life; rbcalc show partnerships lists them"
            )
        return [replace(self.rules.council(name), scenarios=self.scenarios) for name in names]

    def calculate(self, caseload: Any, year: str | FinancialYear | None = None, **options: Any) -> Run:
        """Work out the partnership's caseload in memory, each council by its own rules."""
        from rbcalc.running.run import calculate

        when = FinancialYear.of(year) if year is not None else self.default_year
        return calculate(self.councils(when), when, caseload, **options)


class Rules:
    """A folder of rules.  `rbcalc.load()` gives the shipped one."""

    def __init__(self, root: Path, subject: str = "") -> None:
        """Rules under `root`, which holds england/, councils/ and partnerships/; councils are given with those of `subject`."""
        if not root.is_dir():
            raise UsageError(
                "RC043", f"no such folder of rules: {root}", hint="give a folder that holds england/, councils/ and partnerships/"
            )
        self.root, self.subject = root, subject
        self._kept_files = KeptFiles()
        self.linked = lru_cache(maxsize=256)(self._link)
        self.program = lru_cache(maxsize=256)(self._program)
        self.known: dict[tuple[object, ...], Program] = {}
        """Programs that are known without linking, by what they would be linked from."""

    @cached_property
    def library(self) -> Library:
        """The files of the folder."""
        from rbcalc_kernels.program.library import Library

        return Library(self.root, self._kept_files)

    @cached_property
    def subjects(self) -> Subjects:
        """What the rules are about, and which files are about what."""
        from rbcalc.rulebook.subjects import Subjects

        return Subjects(self.library)

    def __repr__(self) -> str:
        return f"Rules({self.root.name!r}: {len(self.council_names)} councils, {len(self.partnership_names)} partnerships)"

    @property
    def council_names(self) -> list[str]:
        """The councils there are rules for."""
        return sorted(path.parent.name for path in (self.root / "councils").glob("*/council.yaml"))

    @property
    def partnership_names(self) -> list[str]:
        """The partnerships there are."""
        return sorted(path.stem for path in (self.root / "partnerships").glob("*.yaml"))

    def council(self, name: str) -> Council:
        """A council by name.  Raises UsageError with the nearest name."""
        if name not in self.council_names:
            raise UsageError(
                "RC041", f"no such council: {name}", hint=f"one of {', '.join(self.council_names)}{suggest(name, self.council_names)}"
            )
        return Council(self, name, subject=self.subject)

    def partnership(self, name: str) -> Partnership:
        """A partnership by name.  Raises UsageError with the nearest name."""
        if name not in self.partnership_names:
            known = self.partnership_names
            raise UsageError("RC042", f"no such partnership: {name}", hint=f"one of {', '.join(known)}{suggest(name, known)}")
        from rbcalc_kernels.language.documents import PartnershipFile
        from rbcalc_kernels.program.values import day_of

        document = self.document_at(self.root / "partnerships" / f"{name}.yaml")
        if not isinstance(document, PartnershipFile):
            raise UsageError("RC042", f"{name} is not a partnership file", hint="kind: partnership")
        findings = Findings()
        members = []
        for member in document.members:
            first = day_of(member.from_, findings) if member.from_ is not None else None
            last = day_of(member.to, findings) if member.to is not None else None
            members.append((str(member.council), -FOREVER if first is None else first, FOREVER if last is None else last))
        findings.raise_if_errors(self.library.texts(findings))
        return Partnership(
            self, name, str(document.title), str(document.standing), FinancialYear.of(str(document.default_year)), tuple(members)
        )

    def document_at(self, path: Path) -> Document | None:
        """The document in a file.  Raises RulesError."""
        findings = Findings()
        source = self.library.open(path, findings)
        findings.raise_if_errors(self.library.texts(findings))
        return source.content if source is not None else None

    def _program(
        self, name: str, year: FinancialYear, scenarios: tuple[Path | RuleSource, ...], own: tuple[Path, ...], subject: str = ""
    ) -> Program:
        """The program as it is kept, or linked and kept; one with files beside the rules is linked, as such change all the time."""
        if scenarios or own:
            found = self.known.get((name, year, scenarios, own, subject))
            return self.linked(name, year, scenarios, own, subject).program if found is None else found
        kept = Kept(self.root, name, f"{year} {subject}".strip())
        program = kept.read()
        if program is None:
            program = self.linked(name, year, scenarios, own, subject).program
            kept.write(program)
        return program

    def _link(
        self, name: str, year: FinancialYear, scenarios: tuple[Path | RuleSource, ...], own: tuple[Path, ...], subject: str = ""
    ) -> Linked:
        from rbcalc_kernels.program.linking import link

        self._kept_files.recall()
        council = Council(self, name, subject=subject)
        for path in (*own, *(s for s in scenarios if isinstance(s, Path))):
            if not path.is_file():
                raise UsageError("RC044", f"no such file: {path}", hint="give the path of a rule file")
        paths = [
            *council.files(),
            *self.subjects.files(own, subject),
            *(s for s in scenarios if isinstance(s, Path) and self._concerns(s, subject)),
        ]
        more = [s for s in scenarios if not isinstance(s, Path) and self.subjects.concerns(s, subject)]
        if not own and year not in council.years() and not self._carried(scenarios):
            self._no_charges(council, year)
        try:
            linked = link(self.library, paths, year.first_day, year.last_day, name=name, more=more)
        except RulesError as error:
            if any(d.code == "RB077" for d in error.diagnostics) and not own:
                self._no_charges(council, year)
            raise
        self._kept_files.keep()
        return linked

    def _concerns(self, path: Path, subject: str) -> bool:
        """Whether the scenario in a file is about a subject; one that cannot be read is, so that its mistakes are told."""
        source = self.library.open(path, Findings())
        return source is None or self.subjects.concerns(source, subject)

    def _carried(self, scenarios: Sequence[Path | RuleSource]) -> bool:
        """Whether a scenario lets figures go on, so that a year without its own can be supposed."""
        from rbcalc_kernels.language.documents import RuleFile

        documents = [self.document_at(each) if isinstance(each, Path) else each.content for each in scenarios]
        return any(isinstance(document, RuleFile) and document.carry is not None for document in documents)

    @staticmethod
    def _no_charges(council: Council, year: FinancialYear) -> None:
        there = ", ".join(str(known) for known in council.years()) or "none"
        raise UsageError(
            "RC045",
            f"{council.title} has no published charges for {year} in the rules",
            hint=f"years there are: {there}; or give a file of your own with --charges, or a scenario that lets figures go on (carry:)",
        )


def file_days(document: RuleFile) -> tuple[int, int]:
    """The days for which a rule file holds."""
    from rbcalc_kernels.program.values import day_of

    findings = Findings()
    first = day_of(document.from_, findings) if document.from_ is not None else None
    last = day_of(document.to, findings) if document.to is not None else None
    return (-FOREVER if first is None else first), (FOREVER if last is None else last)


def load(folder: str | Path | None = None, subject: str = "") -> Rules:
    """The shipped rules, or those of a folder; with `subject` those of one subject, otherwise of the first.

    Raises UsageError when the rules have no such subject.
    """
    rules = Rules(Path(folder) if folder is not None else rules_root(), subject)
    if subject:
        rules.subjects.named(subject)
    return rules
