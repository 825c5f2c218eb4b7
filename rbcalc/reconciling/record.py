"""The short record of a reconciliation: what a paper says about its baseline, and whether it is that baseline."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

from rbcalc.errors import OutputError, UsageError

FILE: Final = "reconciliation.json"
KIND: Final = "reconciliation"
SCHEMA: Final = 1


@dataclass(frozen=True, slots=True)
class ReconciliationRecord:
    """What was found, for which caseload and which rules; `rules` are digests by council."""

    year: str
    accounts: int
    matching: int
    threshold: Fraction
    caseload: str
    rules: Mapping[str, str]
    facts: Mapping[str, Any]

    @property
    def match_rate(self) -> Fraction:
        """The share of accounts that match, of all accounts on either side."""
        return Fraction(self.matching, self.accounts) if self.accounts else Fraction(0)

    def trusted(self, threshold: Fraction | None = None) -> bool:
        """Whether the share is not below a threshold; without one, that which was declared when the figures were reconciled."""
        return self.match_rate >= (self.threshold if threshold is None else threshold)

    def check(self, caseload: str, rules: Mapping[str, str]) -> None:
        """Refuse a record of another caseload or other rules.  Raises UsageError RC055.

        `caseload` is the digest of the caseload's content, `rules` the digests of the programs by council; a record of more
        councils than are asked for is refused too, because its caseload was another.
        """
        hint = "reconcile again with this caseload and these rules: rbcalc reconcile"
        if caseload != self.caseload:
            raise UsageError("RC055", "the reconciliation was made with another caseload", FILE, hint)
        if dict(rules) != dict(self.rules):
            others = sorted({name for name in {*rules, *self.rules} if rules.get(name) != self.rules.get(name)})
            raise UsageError("RC055", f"the reconciliation was made with other rules of {', '.join(others)}", FILE, hint)


def read_record(path: str | Path) -> ReconciliationRecord:
    """The record in a file that `rbcalc reconcile` wrote.  Raises UsageError."""
    place = Path(path)
    try:
        held = json.loads(place.read_text(encoding="utf-8"))
        if held["kind"] != KIND or held["schema_version"] != SCHEMA:
            raise ValueError(held["kind"])
        return ReconciliationRecord(
            str(held["year"]),
            int(held["accounts"]),
            int(held["matching"]),
            Fraction(str(held["threshold"])),
            str(held["caseload"]),
            {str(name): str(digest) for name, digest in held["rules"].items()},
            held,
        )
    except OSError as error:
        raise UsageError(
            "RC044", f"no such file: {place} ({error.strerror})", hint=f"give the {FILE} that rbcalc reconcile wrote"
        ) from error
    except (ValueError, KeyError, TypeError, AttributeError, ZeroDivisionError) as error:
        raise UsageError(
            "RC055", f"{place.name} is no record of a reconciliation", hint=f"give the {FILE} that rbcalc reconcile wrote"
        ) from error


def write_whole(path: Path, text: str) -> None:
    """Write a file whole or not at all, for its owner alone.  Raises OutputError."""
    handle = None
    try:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        Path(name).replace(path)
    except OSError as error:
        raise OutputError("RC049", f"cannot write {path.name} ({error.strerror})", str(path.parent), "name another folder") from error
