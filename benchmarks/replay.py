"""A year of claims replayed month by month: `python -m benchmarks.replay`.

A shared service of two districts published 12,249 claims on its books, and in a year 6,770 new ones and 21,032 changes.  A sample
caseload with the changes of a busy year is cut down to what was known at the end of each month: records that begin later are not
there yet, and one that ends later has no end yet.  Each month everything is worked out anew in bulk, and the adjustment is what is
due now less what was billed before.  At the end the adjustments of each account must come to what all the facts together give, or the
command ends with 1.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

import rbcalc
from benchmarks.council_tax import first_council
from benchmarks.machine import described
from rbcalc._years import FinancialYear, shown
from rbcalc.caseload.choosing import known_by
from rbcalc.caseload.importing import import_caseload
from rbcalc.caseload.model import Caseload
from rbcalc.running.run import Kernel, calculated

CLAIMS, NEW, CHANGES = 12_249, 6_770, 21_032


def month_ends(year: FinancialYear) -> list[int]:
    """The last day of each month of the year."""
    firsts = np.arange(f"{year.begins}-05", f"{year.begins + 1}-05", dtype="datetime64[M]").astype("datetime64[D]")
    return [int(day) - 1 for day in firsts.astype(np.int64)]


def bills(kernel: Kernel, caseload: Caseload, council: str, threads: int) -> tuple[dict[str, int], int, float]:
    """What is due from each account in pence, how many were refused, and the seconds it took."""
    begin = time.perf_counter()
    part = calculated(kernel, caseload, council, threads)
    seconds = time.perf_counter() - begin
    pence = [int(value * 100) for value in part.bills["bill"].to_pylist()]
    return dict(zip(part.bills[0].to_pylist(), pence, strict=True)), part.rejects.num_rows, seconds


def counted(caseload: Caseload, year: FinancialYear) -> dict[str, int]:
    """Claims on the first day, new claims, and records that begin within the year, which are the changes."""
    claims = caseload.registers["claims"]
    assert claims.begins is not None
    assert claims.ends is not None
    first = np.unique(claims.same["claim"]) if claims.same else np.arange(claims.count)
    before = int(np.count_nonzero(claims.begins[first] <= year.first_day))
    changes = 0
    for name in ("claims", "household", "incomes", "non_dependants", "dwellings"):
        begins = caseload.registers[name].begins
        assert begins is not None
        changes += int(np.count_nonzero((begins > year.first_day) & (begins <= year.last_day)))
    return {"claims": before, "new": int(first.size) - before, "changes": changes}


def main(arguments: Sequence[str] | None = None) -> int:
    """Replay and print."""
    council, when = first_council()
    parser = argparse.ArgumentParser(prog="python -m benchmarks.replay", description=__doc__)
    parser.add_argument("--council", default=council)
    parser.add_argument("--year", default=when)
    parser.add_argument("--dwellings", type=int, default=120_000, help="how many dwellings the sample has")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--json", action="store_true", help="one object a line")
    given = parser.parse_args(arguments)
    year = FinancialYear.of(given.year)
    rules = rbcalc.load()
    program = rules.council(given.council).program(year)
    with tempfile.TemporaryDirectory(prefix="rbcalc-benchmark-") as place:
        folder = Path(place) / "caseload"
        rbcalc.sample(rules, council=given.council, year=year, out=folder, dwellings=given.dwellings, changing="busy")
        whole = import_caseload(folder, program, council=given.council)
    numbers = counted(whole, year)
    kernel = Kernel(program)
    billed: dict[str, int] = {}
    adjusted: dict[str, int] = {}
    rows: list[dict[str, Any]] = []
    calculated(kernel, known_by(whole, program.registers, year.first_day), given.council, given.threads)  # once untimed: the machine code
    for day in [year.first_day, *month_ends(year)]:
        now, refused, seconds = bills(kernel, known_by(whole, program.registers, day), given.council, given.threads)
        changed = {account: due - billed.get(account, 0) for account, due in now.items() if due != billed.get(account, 0)}
        for account, difference in changed.items():
            adjusted[account] = adjusted.get(account, 0) + difference
        billed |= now
        rows.append(
            {"known by": shown(day), "accounts": len(now), "adjusted": len(changed), "refused": refused, "ms": round(seconds * 1000)}
        )
    due, _, _ = bills(kernel, whole, given.council, given.threads)
    wrong = [account for account, pence in due.items() if adjusted.get(account, 0) != pence]
    if given.json:
        sys.stdout.write("".join(f"{json.dumps(row)}\n" for row in (*rows, {**numbers, "wrong": len(wrong)})))
        return bool(wrong)
    console = Console()
    table = Table(*rows[0])
    for row in rows:
        table.add_row(*(f"{value:,}" if isinstance(value, int) else value for value in row.values()))
    console.print(described(), table, sep="\n")
    published = {"claims": CLAIMS, "new": NEW, "changes": CHANGES}
    console.print(", ".join(f"{name} {numbers[name]:,} (published {published[name]:,})" for name in published))
    told = f"{len(wrong):,} do NOT come to the same" if wrong else "the adjustments come to what all the facts give"
    console.print(f"{len(due):,} accounts: {told}")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
