"""Cases of a case file under the rules of another year."""

from __future__ import annotations

from rbcalc._years import FinancialYear
from rbcalc.rulebook.cases import CaseReader
from rbcalc.rulebook.rules import Rules
from rbcalc_kernels.language.documents import CasesFile, ExampleDoc, Text
from rbcalc_kernels.program.graph import Program
from rbcalc_kernels.program.library import RuleSource


class CasesOfYear(CaseReader):
    """Reads case files; with a year, the case called `only` (or each) is taken to be of that year."""

    def __init__(self, rules: Rules, year: FinancialYear | None, only: str | None = None) -> None:
        """Read cases for `rules`."""
        super().__init__(rules)
        self.year, self.only = year, only

    def _program(self, source: RuleSource, file: CasesFile, case: ExampleDoc) -> Program:
        if self.year is None or (self.only is not None and str(case.name) != self.only):
            return super()._program(source, file, case)
        label = Text(str(self.year))
        label.scalar = file.year.scalar
        return super()._program(source, file, case.model_copy(update={"year": label}))
