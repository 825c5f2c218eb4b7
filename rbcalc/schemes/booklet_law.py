"""The law as it holds where no council decides anything, so that a scheme which the law prescribes can be told by itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rbcalc._years import FinancialYear
from rbcalc.errors import UsageError
from rbcalc.rulebook.dials import document_of
from rbcalc.rulebook.rules import Council
from rbcalc_kernels.language.documents import RuleFile
from rbcalc_kernels.program.linking import link
from rbcalc_kernels.source import Findings

if TYPE_CHECKING:
    from rbcalc_kernels.program.graph import Program
    from rbcalc_kernels.program.library import RuleSource

_MEMBER = "everywhere"


@dataclass(frozen=True, slots=True)
class Law(Council):
    """The rules without those of any council."""

    @property
    def title(self) -> str:
        """What stands in place of a council's name."""
        return "The same in every council"

    def years(self) -> list[FinancialYear]:
        """From the first to the last year that some council can be billed for: beyond them the law may not have been read."""
        found = [year for name in self.rules.council_names for year in self.rules.council(name).of(self.subject).years()]
        return [FinancialYear(begins) for begins in range(min(found).begins, max(found).begins + 1)] if found else []

    def program(self, year: str | FinancialYear, scenarios: Sequence[Path | RuleSource] = (), own: Sequence[Path] = ()) -> Program:
        """The program that the files in `own` reach; each list that councils give has one member.

        Raises RulesError, and UsageError for a year that no council can be billed for.
        """
        when, years = FinancialYear.of(year), self.years()
        if when not in years:
            hint = f"years there are: {', '.join(map(str, years)) or 'none'}"
            raise UsageError("RC045", f"the rules do not reach {when}", hint=hint)
        more = [self._given(own), *(each for each in scenarios if not isinstance(each, Path))]
        paths = [*own, *(each for each in scenarios if isinstance(each, Path))]
        return link(self.rules.library, paths, when.first_day, when.last_day, more=more).program

    def _given(self, own: Sequence[Path]) -> RuleSource:
        """A file that gives what a council must."""
        documents = [source.content for source in self.rules.library.closure(list(own), Findings())]
        lists = {str(name): found for file in documents if isinstance(file, RuleFile) for name, found in file.lists.items()}
        members = {name: f"{{members: [{_MEMBER}]}}" for name, found in lists.items() if found.local and not found.members}
        lines = [f"  {name}: {given}" for name, given in members.items()]
        return document_of(
            "\n".join(
                [
                    "kind: council",
                    "title: No council",
                    "from: 1900-01-01",
                    "source: {note: no council}",
                    "adopted: no council",
                    *(["lists:", *lines] if lines else []),
                    "",
                ]
            ),
            "no council",
        )


__all__ = ["Law"]
