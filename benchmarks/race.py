"""The same work in every technology, in one run: `python -m benchmarks.race [--json]`.

Repeats are interleaved, figures are medians, and every technology is held against the same pence.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from benchmarks import council_tax, rates, reduction
from benchmarks.bill import Bill
from benchmarks.contending import contenders
from benchmarks.machine import described
from benchmarks.measuring import Contender, Figures, line, race, same
from benchmarks.native import Native, available

WORKS = ("bill", "council_tax", "reduction", "reduction_grid", "housing_benefit", "both", "rates")


DATED = ("reduction", "housing_benefit", "both")
"""The works that can be of another year than that of today."""


def work_of(name: str, rows: int, year: str = "") -> Bill | council_tax.Work | reduction.Work | reduction.Both | rates.Work:
    """A work at one number of rows."""
    if name.startswith("reduction"):
        return reduction.Work(rows, grid=name == "reduction_grid", year=year)
    if name == "housing_benefit":
        return reduction.Work(rows, rent=True, year=year)
    if name == "both":
        return reduction.Both(rows, year)
    if name == "rates":
        return rates.Work(rows)
    return Bill(rows) if name == "bill" else council_tax.Work(rows)


def run(
    work: str, rows: int, threads: Sequence[int], repeats: int, native: Native | None, only: Sequence[str] = (), year: str = ""
) -> list[Contender]:
    """One race."""
    running = list(contenders(work_of(work, rows, year), threads, native, only))
    try:
        race(running, repeats)
        checked(running)
    finally:
        for each in running:
            each.close()
    return running


def checked(running: Sequence[Contender]) -> None:
    """Note whether each gives the same figures as the exact evaluator on its sample, and all rows of the same pence as the first."""
    found: list[tuple[Contender, Figures]] = [(each, each.figures()) for each in running if each.figures is not None]
    exact = [figures for each, figures in found if each.technology == "exact"]
    full = [figures for each, figures in found if each.technology != "exact"]
    for each, figures in found:
        each.agrees = all(same(sample, figures) for sample in exact) and (each.technology == "exact" or same(figures, full[0]))


def shown(work: str, rows: int, running: Sequence[Contender]) -> Table:
    """A race as a table."""
    own = {each.threads: each for each in running if each.technology == "rbcalc"}
    table = Table(title=f"{work}, {rows:,} rows", title_justify="left")
    for heading in (
        "technology",
        "threads",
        "rows",
        "median ms",
        "least",
        "most",
        "million rows/s",
        "ns a row",
        "GB/s",
        "rbcalc is faster",
        "same pence",
    ):
        table.add_column(heading, justify="left" if heading in ("technology", "same pence") else "right")
    for each in running:
        compared = own.get(each.threads)
        table.add_row(
            each.technology, str(each.threads), f"{each.rows:,}", f"{each.median * 1e3:,.2f}", f"{min(each.times) * 1e3:,.2f}",
            f"{max(each.times) * 1e3:,.2f}",
            f"{each.rate / 1e6:,.3g}", f"{1e9 / each.rate:,.3g}", f"{each.bytes_moved / each.median / 1e9:.1f}" if each.bytes_moved else "",
            f"{compared.rate / each.rate:,.3g}" if compared is not None else "", "yes" if each.agrees else "NO",
        )  # fmt: skip
    return table


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the races that are asked for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.race", description=__doc__)
    parser.add_argument("--work", nargs="+", choices=WORKS, default=["bill"])
    parser.add_argument("--rows", nargs="+", type=int, default=[1_000_000])
    parser.add_argument("--threads", nargs="+", type=int, default=[1, 2])
    parser.add_argument("--repeats", type=int, default=9)
    parser.add_argument("--only", nargs="+", default=[], help="technologies that run; the others stay out")
    parser.add_argument("--year", default="", metavar="YYYY-YY", help=f"of {', '.join(DATED)}; by default that of today")
    parser.add_argument("--json", action="store_true", help="one object a line, on standard output")
    given = parser.parse_args(arguments)
    if given.year and not set(given.work) <= set(DATED):
        parser.error(f"only {', '.join(DATED)} can be of another year")
    console = Console(stderr=given.json, width=None if sys.stdout.isatty() else 150)
    native = Native() if available() else None
    if native is None:
        console.print("gcc was not found: neither C nor the memory probes run", style="yellow")
    agree = True
    try:
        for work in given.work:
            for rows in given.rows:
                running = run(work, rows, given.threads, given.repeats, native, given.only, given.year)
                agree &= all(each.agrees for each in running)
                if given.json:
                    for each in running:
                        print(json.dumps(line(work, each)), flush=True)
                else:
                    console.print(shown(work, rows, running))
                    for each in running:
                        step = f"{min(each.times) / each.steps * 1e9:.3f} ns a statement; " if each.steps else ""
                        if step or each.note:
                            console.print(f"{each.technology}, {each.threads} threads: {step}{each.note}", style="dim", highlight=False)
    finally:
        if native is not None:
            native.close()
    if not given.json:
        console.print(described(), style="dim", highlight=False)
    return 0 if agree else 1


if __name__ == "__main__":
    raise SystemExit(main())
