"""End to end, Parquet to Parquet: `python -m benchmarks.scale --dwellings 1000000 10000000 26000000`.

A sample caseload is made by `rbcalc sample`, then `rbcalc rebill` runs as a process of its own: wall seconds, peak memory,
bytes in and out.
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

from benchmarks.council_tax import first_council
from benchmarks.machine import described
from benchmarks.processes import RBCALC, size, spent


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scale", description=__doc__)
    parser.add_argument("--dwellings", nargs="+", type=int, default=[1_000_000])
    parser.add_argument("--threads", nargs="+", type=int, default=[2])
    parser.add_argument("--changing", default="30%", help="the share of dwellings whose year is cut in two")
    parser.add_argument("--folder", type=Path, default=None, help="where caseloads and results go (by default a temporary folder)")
    parser.add_argument("--keep", action="store_true", help="keep caseloads in the folder, and use those that are there")
    parser.add_argument("--json", action="store_true", help="one object a line")
    given = parser.parse_args(arguments)
    council, year = first_council()
    whose = ["--council", council, "--year", year]
    table = Table(
        "dwellings", "threads", "wall s", "user s", "system s", "million dwellings/s", "peak MiB", "MB in", "MB out", "making the sample s"
    )
    place = Path(given.folder or tempfile.mkdtemp(prefix="rbcalc-benchmark-"))
    place.mkdir(parents=True, exist_ok=True)
    try:
        for dwellings in given.dwellings:
            caseload, out = place / f"sample-{dwellings}", place / f"out-{dwellings}"
            made = 0.0
            if not (given.keep and (caseload / "manifest.json").is_file()):
                made = spent(
                    [
                        RBCALC,
                        "sample",
                        *whose,
                        "--dwellings",
                        str(dwellings),
                        "--changing",
                        given.changing,
                        "--out",
                        str(caseload),
                        "--force",
                    ]
                ).wall
            for threads in given.threads:
                command = [RBCALC, "rebill", *whose, "--caseload", str(caseload), "--out", str(out), "--force", "--threads", str(threads)]
                took = spent(command, accepted=(0, 1))
                found = {
                    "dwellings": dwellings, "threads": threads, "wall_s": round(took.wall, 2), "user_s": round(took.user, 2),
                    "system_s": round(took.system, 2),
                    "peak_bytes": took.peak, "bytes_in": size(caseload), "bytes_out": size(out), "sample_s": round(made, 2),
                }  # fmt: skip
                if given.json:
                    print(json.dumps(found), flush=True)
                table.add_row(
                    f"{dwellings:,}", str(threads), f"{took.wall:.1f}", f"{took.user:.1f}", f"{took.system:.1f}",
                    f"{dwellings / took.wall / 1e6:.2f}",
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


if __name__ == "__main__":
    raise SystemExit(main())
