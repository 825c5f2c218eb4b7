"""The errors that a user of the library can meet: one small tree, and one registry of stable codes.

A code never changes its meaning and is never reused.  Rule files have codes of their own (RB...), which the rule
language keeps.
"""

from __future__ import annotations

CODES: dict[str, str] = {
    "RC001": "the source of the caseload cannot be read",
    "RC002": "a table of the caseload is missing",
    "RC003": "a column of a table is missing",
    "RC004": "a header is written twice",
    "RC005": "a file is not well-formed CSV",
    "RC006": "a column has a type that cannot be used",
    "RC007": "the text of a file is in an unknown encoding",
    "RC008": "several files could be one table",
    "RC010": "the column map is wrong",
    "RC011": "the column map does not fit the rules",
    "RC012": "the council is not known",
    "RC013": "the rules of several councils do not share their tables",
    "RC020": "the key for pseudonyms cannot be used",
    "RC021": "a column that the rules read was declared private",
    "RC040": "a financial year is not known",
    "RC041": "a council is not known",
    "RC042": "a partnership is not known, or had no members",
    "RC043": "a folder of rules is missing",
    "RC044": "a file is missing",
    "RC045": "a council has no charges for the year",
    "RC046": "a case file does not fit the rules",
    "RC047": "a scenario cannot be billed",
    "RC048": "an account is not in the caseload",
    "RC049": "an output folder cannot be used",
    "RC050": "an output is not what it says it is",
    "RC051": "a tax base cannot be worked out",
    "RC052": "facts cannot be rolled forward",
    "RC053": "figures cannot be reconciled",
    "RC054": "the live system's figures cannot be used",
    "RC055": "a reconciliation does not belong to the caseload or the rules",
    "RC060": "options cannot be compared as asked",
    "RC061": "a figure cannot be set as asked",
    "RC062": "no set of figures meets a target",
    "RC067": "a subject that the rules do not have",
    "RC070": "cliffs cannot be looked for as asked",
    "RC071": "a year of incomes cannot be replayed",
    "RC080": "a paper cannot be written as asked",
    "RC030": "a working folder cannot be made or removed",
}


class RbcalcError(Exception):
    """Something went wrong that the user can put right: a code, a sentence, a place and a remedy."""

    code: str
    message: str
    where: str
    hint: str

    def __init__(self, code: str, message: str, where: str = "", hint: str = "") -> None:
        """Keep the four parts; `where` and `hint` may be empty."""
        assert code in CODES, code
        self.code, self.message, self.where, self.hint = code, message, where, hint
        super().__init__(code, message, where, hint)

    def __str__(self) -> str:
        """The report as it is printed."""
        head = f"{self.where}: error[{self.code}] {self.message}" if self.where else f"error[{self.code}] {self.message}"
        return f"{head}\n   help: {self.hint}" if self.hint else head


class UsageError(RbcalcError):
    """The request itself cannot be met: a wrong name, option or column map."""


class DataError(RbcalcError):
    """The caseload cannot be used as it is."""


class OutputError(RbcalcError):
    """A result could not be written."""
