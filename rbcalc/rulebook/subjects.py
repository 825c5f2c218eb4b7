"""The subjects of a folder of rules (Council Tax, business rates ...): each is a program of its own, with its own accounts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

from rbcalc.errors import UsageError
from rbcalc_kernels.source import Findings, suggest

if TYPE_CHECKING:
    from rbcalc_kernels.language.documents import RuleFile
    from rbcalc_kernels.program.library import Library, RuleSource

FILE: Final = Path("england", "subjects.yaml")


@dataclass(frozen=True, slots=True)
class Subject:
    """A subject: its name and title, the rule file that declares its rows, and the table of a caseload that holds its accounts."""

    name: str
    title: str
    declared_in: str
    accounts: str


class Subjects:
    """Which subjects there are, and which rule files are about which.

    A file is about the subjects whose declarations it reaches through what it extends; a scenario that extends nothing,
    about those in which the names that it changes are declared; a file that tells neither, about all.
    """

    def __init__(self, library: Library) -> None:
        """The subjects of a library; one without a name where its folder does not list them."""
        self.library = library
        self.reached = lru_cache(maxsize=None)(self._reached)
        self.known = lru_cache(maxsize=None)(self._known)

    @cached_property
    def all(self) -> tuple[Subject, ...]:
        """The subjects, in the order in which the rules list them."""
        from rbcalc_kernels.language.documents import ProfileFile

        path = self.library.root / FILE
        if not path.is_file():
            return (Subject("", "", "", ""),)
        findings = Findings()
        source = self.library.open(path, findings)
        findings.raise_if_errors(self.library.texts(findings))
        assert source is not None and isinstance(source.content, ProfileFile)
        listed = source.content.model_dump()["subjects"]
        return tuple(
            Subject(str(name), str(each["title"]), str(each["declared_in"]), str(each["accounts"])) for name, each in listed.items()
        )

    def named(self, name: str) -> Subject:
        """A subject by name; the first for none.  Raises UsageError with the nearest name."""
        if not name:
            return self.all[0]
        found = next((subject for subject in self.all if subject.name == name), None)
        if found is None:
            known = [subject.name for subject in self.all]
            raise UsageError("RC067", f"no such subject: {name}", hint=f"one of {', '.join(known)}{suggest(name, known)}")
        return found

    def about(self, path: Path) -> tuple[Subject, ...]:
        """The subjects that a file is about, a scenario's too; the first for one that tells none."""
        source = self.library.open(path, Findings())
        found = [each for each in self.all if not (reached := self.reached(path)) or each.name in reached]
        if source is not None and len(found) == len(self.all) > 1:
            found = [each for each in found if self.concerns(source, each.name)]
        return tuple(found) if len(found) < len(self.all) else self.all[:1]

    def files(self, paths: Sequence[Path], name: str) -> list[Path]:
        """Those of some rule files that are about a subject, or about none."""
        if len(self.all) < 2:
            return list(paths)
        subject = self.named(name)
        return [path for path in paths if not (found := self.reached(path)) or subject.name in found]

    def concerns(self, scenario: RuleSource, name: str) -> bool:
        """Whether a scenario is about a subject."""
        from rbcalc_kernels.language.documents import RuleFile

        document = scenario.content
        if len(self.all) < 2 or not isinstance(document, RuleFile):
            return True
        subject = self.named(name)
        found = self._declared(self.library.closure([], Findings(), [scenario]))
        if not found:
            changed = {str(entry) for part in (document.set, document.replace, document.drop) for entry in part}
            changed |= {str(entry) for each in document.uprate for entry in each.names}
            found = frozenset(each.name for each in self.all if changed & self.known(each.name))
        return not found or subject.name in found

    def _declared(self, sources: Sequence[RuleSource]) -> frozenset[str]:
        names = {source.name for source in sources}
        return frozenset(subject.name for subject in self.all if subject.declared_in in names)

    def _reached(self, path: Path) -> frozenset[str]:
        """The subjects that a file reaches."""
        return self._declared(self.library.closure([path], Findings()))

    def _known(self, name: str) -> frozenset[str]:
        """The names of figures, tables and rules that the statutes of a subject declare."""
        found: set[str] = set()
        for path in sorted((self.library.root / "england").rglob("*.yaml")):
            document = self._statute(path)
            if document is not None and name in self.reached(path):
                found.update(str(entry) for part in (document.parameters, document.tables, document.rules) for entry in part)
        return frozenset(found)

    def _statute(self, path: Path) -> RuleFile | None:
        from rbcalc_kernels.language.documents import RuleFile

        source = self.library.open(path, Findings())
        return source.content if source is not None and isinstance(source.content, RuleFile) else None
