"""End to end, Parquet to Parquet: `python -m benchmarks.scale --dwellings 1000000 10000000 26000000`.

Business rates: `python -m benchmarks.scale --subject business_rates --hereditaments 2000000`.  A sample caseload is made by
`rbcalc sample`, then `rbcalc rebill` runs as a process of its own: wall seconds, peak memory, bytes in and out.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks import council_tax, rates
from benchmarks.machine import described
from benchmarks.processes import RBCALC, size, spent

RATES = "business_rates"


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scale", description=__doc__)
    parser.add_argument("--dwellings", nargs="+", type=int, default=[1_000_000])
    parser.add_argument("--subject", choices=("council_tax", RATES), default="council_tax")
    parser.add_argument("--hereditaments", nargs="+", type=int, default=[2_000_000], help="with --subject business_rates")
    parser.add_argument("--threads", nargs="+", type=int, default=[2])
    parser.add_argument("--changing", default="30%", help="the share of dwellings whose year is cut in two")
    parser.add_argument("--tables", nargs="+", default=[], help="only these of the sample's tables, e.g. accounts dwellings people")
    parser.add_argument("--folder", type=Path, default=None, help="where caseloads and results go (by default a temporary folder)")
    parser.add_argument("--keep", action="store_true", help="keep caseloads in the folder, and use those that are there")
    parser.add_argument("--json", action="store_true", help="one object a line")
    given = parser.parse_args(arguments)
    unit = "hereditaments" if given.subject == RATES else "dwellings"
    council, year = (rates.first_council(), rates.YEAR) if given.subject == RATES else council_tax.first_council()
    whose = ["--council", council, "--year", year, "--subject", given.subject]
    makes = ["sample", *whose] + (["--changing", given.changing] if given.subject != RATES else [])
    table = Table(
        unit, "threads", "wall s", "user s", "system s", f"million {unit}/s", "peak MiB", "MB in", "MB out", "making the sample s"
    )
    place = Path(given.folder or tempfile.mkdtemp(prefix="rbcalc-benchmark-"))
    place.mkdir(parents=True, exist_ok=True)
    try:
        for many in given.hereditaments if given.subject == RATES else given.dwellings:
            caseload, out = place / f"sample-{unit}-{many}", place / f"out-{many}"
            made = 0.0
            if not (given.keep and (caseload / "manifest.json").is_file()):
                made = spent([RBCALC, *makes, f"--{unit}", str(many), "--out", str(caseload), "--force"]).wall
                keep_only(caseload, given.tables)
            for threads in given.threads:
                command = [RBCALC, "rebill", *whose, "--caseload", str(caseload), "--out", str(out), "--force", "--threads", str(threads)]
                took = spent(command, accepted=(0, 1))
                found = {
                    unit: many, "threads": threads, "wall_s": round(took.wall, 2), "user_s": round(took.user, 2),
                    "system_s": round(took.system, 2),
                    "peak_bytes": took.peak, "bytes_in": size(caseload), "bytes_out": size(out), "sample_s": round(made, 2),
                }  # fmt: skip
                if given.json:
                    print(json.dumps(found), flush=True)
                table.add_row(
                    f"{many:,}", str(threads), f"{took.wall:.1f}", f"{took.user:.1f}", f"{took.system:.1f}",
                    f"{many / took.wall / 1e6:.2f}",
                    f"{took.peak / 2**20:,.0f}", f"{found['bytes_in'] / 1e6:,.1f}", f"{found['bytes_out'] / 1e6:,.1f}", f"{made:.1f}",
                )  # fmt: skip
            shutil.rmtree(out, ignore_errors=True)
            if not given.keep:
                shutil.rmtree(caseload, ignore_errors=True)
    finally:
        if given.folder is None:
            shutil.rmtree(place, ignore_errors=True)
    if not given.json:
        console = Console(width=None if sys.stdout.isatty() else 150)
        console.print(table)
        console.print(described(), style="dim", highlight=False)
    return 0


def keep_only(caseload: Path, tables: Sequence[str]) -> None:
    """Take every table but these out of a caseload; with none named all stay."""
    here = {one.name.removesuffix(".parquet"): one for one in caseload.iterdir() if one.is_dir() or one.suffix == ".parquet"}
    if missing := [table for table in tables if table not in here]:
        raise SystemExit(f"the sample has no table {', '.join(missing)}; it has {', '.join(sorted(here))}")
    for name, table in here.items() if tables else ():
        if name in tables:
            continue
        if table.is_dir():
            shutil.rmtree(table)
        else:
            table.unlink()


if __name__ == "__main__":
    raise SystemExit(main())
