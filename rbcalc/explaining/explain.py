"""One account as a person would work it on paper: the facts, each step in words with its source, the totals.

Everything said comes from the rules: titles, `because` lines, sources and the working itself.  What is told is what the
results rest on; `Explanation.values` holds every value of every row all the same.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from rbcalc._years import shown
from rbcalc.errors import DataError, UsageError
from rbcalc.explaining.model import Explanation, Fact, Line, Outcome, Section
from rbcalc.explaining.teller import Teller
from rbcalc_kernels.exact.evaluator import Evaluator
from rbcalc_kernels.exact.faults import CalculationFault
from rbcalc_kernels.exact.layout import layout_of
from rbcalc_kernels.exact.rows import Row
from rbcalc_kernels.exact.spells import build
from rbcalc_kernels.exact.trace import Trace
from rbcalc_kernels.program.graph import Program, Value


def explain_records(
    program: Program,
    records: Mapping[str, list[dict[str, Value | None]]],
    *,
    council: str = "",
    reference: str = "",
    everything: bool = False,
    aside: Collection[str] = (),
    which: str = "",
) -> Explanation:
    """Work out one root's records and explain the result.

    With `everything`, steps that come to nought and change nothing are told too, and no rows are put together.  Rules of
    the files `aside` are worked out and not told.  Where accounts are gathered, `records` are those of all of them, and `which`
    is the reference of the one to tell of.  Raises DataError when the records cannot be worked out.
    """
    key = layout_of(program).root_register
    named = reference or str(records[key.name][0].get(key.key) or "")
    top, evaluator, trace = worked_out(program, records, reference)
    root = account_row(program, top, which)
    return Teller(program, evaluator, trace, root, everything=everything, aside=aside).told(council or program.name, named)


def account_row(program: Program, top: Row, which: str = "") -> Row:
    """The row of an account, by the reference in its record, among those that are gathered with it; the first for none."""
    if program.gathering is None:
        return top
    rows = top.children[program.root]
    return next((row for row in rows if row.key == which), rows[0])


def worked_out(program: Program, records: Mapping[str, list[dict[str, Value | None]]], reference: str) -> tuple[Row, Evaluator, Trace]:
    """The rows of one root, worked out, with what the evaluator did.  Raises DataError when they cannot be."""
    evaluator, trace = Evaluator(program, None), Trace()
    try:
        root = build(program, records)
        evaluator.run(root, trace)
    except CalculationFault as fault:
        raise DataError(
            "RC046", f"the account cannot be worked out: {told_fault(fault)}", reference, "correct the records, or record what is missing"
        ) from fault
    return root, evaluator, trace


def explain_example(example: Any, council: str = "", *, everything: bool = False) -> Explanation:
    """A case of a case file, explained."""
    return explain_records(example.program, example.records, council=council, reference=example.name, everything=everything)


def explain(run: Any, account: str, *, caseload: Any = None) -> Explanation:
    """An account of a run, explained.

    `caseload` is what the run was made from (a folder, tables, or an imported caseload); a run that kept its caseload needs
    none.  Raises UsageError when the account is not there, DataError when it cannot be worked out.
    """
    held = caseload if caseload is not None else getattr(run, "caseload", None)
    if held is None:
        raise UsageError("RC048", "the run did not keep its caseload", hint="give it again: explain(run, account=..., caseload=...)")
    return explain_account(held, run.summary.programs, account)


def explain_account(
    source: Any,
    programs: Mapping[str, Program],
    account: str,
    *,
    titles: Mapping[str, str] | None = None,
    column_map: Any = None,
    everything: bool = False,
) -> Explanation:
    """An account of a caseload (a folder, tables, or an imported one), explained.  Raises UsageError when it is not there."""
    council, records, which = account_records(held_caseload(source, programs, column_map), programs, account)
    told = (titles or {}).get(council, council)
    return explain_records(programs[council], records, council=told, reference=account, everything=everything, which=which)


def held_caseload(source: Any, programs: Mapping[str, Program], column_map: Any = None) -> Any:
    """A caseload that was imported already, or one imported from a folder or tables."""
    from rbcalc.caseload.importing import import_caseload
    from rbcalc.caseload.model import Caseload

    if isinstance(source, Caseload):
        return source
    return import_caseload(source, programs, column_map=column_map, council=next(iter(programs)) if len(programs) == 1 else "")


def account_records(
    caseload: Any, programs: Mapping[str, Program], account: str
) -> tuple[str, dict[str, list[dict[str, Value | None]]], str]:
    """The council of an account of a caseload, its records, and the reference that it has in them.

    Where accounts are gathered, the records of all that are gathered with it.  Raises UsageError when the caseload does not
    have it.
    """
    import pyarrow.compute as pc

    from rbcalc.rulebook.both import records_of

    at = pc.index(caseload.references, account).as_py()
    if at < 0:
        hint = "references are compared as text, leading zeros included"
        if not caseload.complete:
            hint = f"{sum(count.rejected for count in caseload.counts.values()):,} rows were rejected, and it may be among them; {hint}"
        if elsewhere := max((count.elsewhere for count in caseload.counts.values()), default=0):
            rows = f"{elsewhere:,} row{' of it belongs' if elsewhere == 1 else 's of it belong'} to other councils"
            hint = f"only accounts of {', '.join(programs)} are looked at, and {rows}; {hint}"
        raise UsageError("RC048", f"no account {account} in the caseload", hint=hint)
    council = caseload.councils[int(caseload.council[at])]
    own = caseload.of(council)
    row = pc.index(own.references, account).as_py()
    return council, _named(programs[council], own, records_of(programs[council], own.columns(), row)), str(row)


def _named(program: Program, caseload: Any, records: dict[str, list[dict[str, Value | None]]]) -> dict[str, list[dict[str, Value | None]]]:
    """Records with the keys of what may stand beside each other as they were written, where the caseload holds them."""
    layout = layout_of(program)
    for register in program.registers.values():
        keys = caseload.registers[register.name].keys if layout.tells_apart(register) else None
        if keys is None:
            continue
        below = [other for other in program.registers.values() if layout.anchors.get(other.name) is register and other.by == register.key]
        for column, held in [(register.key, register.name), *((other.by, other.name) for other in below)]:
            for record in records[held]:
                record[column] = keys[int(str(record[column]))].as_py()
    return records


def told_fault(fault: CalculationFault) -> str:
    """What is wrong, with the day."""
    days = f" on {shown(fault.first_day)}" if fault.first_day is not None and not fault.table else ""
    return f"{fault}{days}"


__all__ = [
    "Explanation",
    "Fact",
    "Line",
    "Outcome",
    "Section",
    "account_records",
    "explain",
    "explain_account",
    "explain_example",
    "explain_records",
    "held_caseload",
    "told_fault",
    "worked_out",
]
