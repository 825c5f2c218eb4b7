"""Why an award or a bill changed, from the command line."""

from __future__ import annotations

import textwrap
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rbcalc_cli.asking import check_tables
from rbcalc_cli.commands.explain import programs_of, the_case, which_account
from rbcalc_cli.options import rules_of, within
from rbcalc_cli.output import document, put

if TYPE_CHECKING:
    from rbcalc.explaining.change import Change
    from rbcalc.explaining.difference import Given
    from rbcalc.rulebook.rules import Rules
    from rbcalc_cli.commands.explain import Asked

WIDTH = 100


def show(asked: Asked, first: str | None, last: str | None, year: str | None, folder: Path | None, *, as_json: bool = False) -> None:
    """Print the change between two days, two years or two sets of rules."""
    _print(_change(asked, first, last, year, folder), as_json=as_json)


def _change(asked: Asked, first: str | None, last: str | None, year: str | None, folder: Path | None) -> Change:
    """The change that was asked for."""
    from rbcalc._years import FinancialYear
    from rbcalc.errors import UsageError
    from rbcalc.explaining.change import explain_change
    from rbcalc.explaining.difference import explain_difference

    here_given = _given(asked, asked.rules, None)
    program, records = here_given.program, here_given.records
    own = FinancialYear.containing(program.last_day)
    if year is None and folder is None:
        if first is None or last is None:
            raise UsageError("RC046", "between which days?", hint="give both: --changed-from 2026-04-01 --to 2026-07-01")
        return explain_change((program, records, day_of(first)), (program, records, day_of(last)))
    other_rules = rules_of(folder, asked.rules.subject) if folder is not None else asked.rules
    other_year = FinancialYear.of(year) if year is not None else own
    there_given = _given(asked, other_rules, other_year)
    other, others = there_given.program, there_given.records
    if program.differences and first is None and last is None:
        pair = [there_given, here_given] if other_year <= own else [here_given, there_given]
        return explain_difference(*pair)
    if other_year == own:
        here = day_of(last) if last else own.first_day
        return explain_change((other, others, day_of(first) if first else here), (program, records, here))
    earlier, later = sorted([(other_year, other, others), (own, program, records)], key=lambda found: found[0])
    begin = day_of(first) if first else earlier[0].last_day
    end = day_of(last) if last else later[0].first_day
    return explain_change((earlier[1], earlier[2], begin), (later[1], later[2], end))


def day_of(text: str) -> int:
    """A day that was written as 2026-04-01, as days since 1970.  Raises UsageError."""
    from rbcalc._years import EPOCH
    from rbcalc.errors import UsageError

    try:
        return date.fromisoformat(text).toordinal() - EPOCH
    except ValueError:
        raise UsageError("RC046", f"no such day: {text}", hint="write the year, the month and the day, as 2026-04-01") from None


def _given(asked: Asked, rules: Rules, year: Any) -> Given:
    """The program and the records of the account that was asked for, in another year where one is given."""
    from rbcalc.explaining.difference import Given
    from rbcalc.explaining.explain import account_records, held_caseload
    from rbcalc.explaining.strands import chosen
    from rbcalc.explaining.years import CasesOfYear

    if asked.case is not None:
        found = the_case(CasesOfYear(rules, year, asked.name), within(rules.library.root, asked.case), asked.name)
        return Given(found.program, chosen(found.program, found.records, asked.claim))
    own_folder, account = which_account(asked)
    programs, _ = programs_of(rules, asked.council, asked.partnership, str(year) if year is not None else asked.year, asked.charges)
    folder = asked.against_caseload if year is not None and asked.against_caseload is not None else own_folder
    check_tables(folder)
    caseload = held_caseload(folder, programs, asked.column_map)
    council, records, which = account_records(caseload, programs, account)
    names = {str(row): str(name) for row, name in enumerate(caseload.of(council).references.to_pylist())}
    return Given(programs[council], chosen(programs[council], records, asked.claim), which, names)


def _print(change: Change, *, as_json: bool) -> None:
    if as_json:
        sides = [{"when": when, "amount": words} for when, words in (change.before, change.after)]
        parts = [{"cause": cause, "amount": f"{float(part):.2f}", "words": words} for cause, part, words in change.parts]
        document(
            {
                "title": change.title,
                "unit": change.unit,
                "before": sides[0],
                "after": sides[1],
                "difference": f"{float(change.difference):.2f}",
                "parts": parts,
                "order": list(change.order),
            }
        )
        return
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
