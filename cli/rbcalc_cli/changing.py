"""Why an award changed, from the command line."""

from __future__ import annotations

import textwrap
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rbcalc_cli.commands.explain import programs_of, the_case
from rbcalc_cli.options import existing, rules_of, within
from rbcalc_cli.output import put

if TYPE_CHECKING:
    from rbcalc._explain_change import Change
    from rbcalc._rules import Rules
    from rbcalc_cli.commands.explain import Asked
    from rbcalc_kernels.program.graph import Program

WIDTH = 100


def show(asked: Asked, first: str | None, last: str | None, year: str | None, folder: Path | None) -> None:
    """Print the change between two days, two years or two sets of rules."""
    from rbcalc._explain_change import explain_change
    from rbcalc._years import FinancialYear
    from rbcalc.errors import UsageError

    program, records = _program(asked, asked.rules, None)
    own = FinancialYear.containing(program.first_day)
    if year is None and folder is None:
        if first is None or last is None:
            raise UsageError("RC046", "between which days?", hint="give both: --changed-from 2026-04-01 --to 2026-07-01")
        _print(explain_change((program, records, day_of(first)), (program, records, day_of(last))))
        return
    other_rules = rules_of(folder) if folder is not None else asked.rules
    other_year = FinancialYear.of(year) if year is not None else own
    other, others = _program(asked, other_rules, other_year)
    if other_year == own:
        here = day_of(last) if last else own.first_day
        _print(explain_change((other, others, day_of(first) if first else here), (program, records, here)))
        return
    earlier, later = sorted([(other_year, other, others), (own, program, records)], key=lambda found: found[0])
    begin = day_of(first) if first else earlier[0].last_day
    end = day_of(last) if last else later[0].first_day
    _print(explain_change((earlier[1], earlier[2], begin), (later[1], later[2], end)))


def day_of(text: str) -> int:
    """A day that was written as 2026-04-01, as days since 1970.  Raises UsageError."""
    from rbcalc._years import EPOCH
    from rbcalc.errors import UsageError

    try:
        return date.fromisoformat(text).toordinal() - EPOCH
    except ValueError:
        raise UsageError("RC046", f"no such day: {text}", hint="write the year, the month and the day, as 2026-04-01") from None


def _program(asked: Asked, rules: Rules, year: Any) -> tuple[Program, Any]:
    """The program and the records of the account that was asked for, in another year where one is given."""
    from rbcalc._explain import account_records, held_caseload
    from rbcalc._explain_years import CasesOfYear
    from rbcalc.errors import UsageError

    if asked.case is not None:
        found = the_case(CasesOfYear(rules, year, asked.name), within(rules.library.root, asked.case), asked.name)
        return found.program, found.records
    if asked.caseload is None or asked.account is None:
        raise UsageError("RC048", "which account?", hint="give the folder of a caseload and --account REF, or a case file with --case FILE")
    programs, _ = programs_of(rules, asked.council, asked.partnership, str(year) if year is not None else asked.year, asked.charges)
    caseload = held_caseload(existing(asked.caseload, "folder"), programs, asked.column_map)
    council, records, _ = account_records(caseload, programs, asked.account)
    return programs[council], records


def _print(change: Change) -> None:
    put(change.title)
    put("=" * len(change.title))
    for day, words in (change.before, change.after):
        put(f"{day:<60}{words:>40}")
    if not change.parts:
        put("\nNothing changed.")
        return
    put("\nWhy it changed:")
    for cause, _, words in change.parts:
        put(f"  {cause:<58}{words:>40}")
    put(f"  {'Together':<58}{change.together:>40}")
    order = "The causes were exchanged one after another, in this order: " + "; ".join(change.order) + "."
    put("\n" + textwrap.fill(order, WIDTH, break_on_hyphens=False))
