"""How long sweeps and searches take: `python -m benchmarks.sweep [--json]`.

A thousand values of one figure over the claims of a whole partnership, in one process, apart from what stands ready before the first
of them; a question as an officer asks it, as a whole process with warm caches: what it costs, each change by itself, a search, and
the paper; and one figure turned on 100,000 claims, value after value.  Some points are worked out as options too; where they differ, the
command ends with 1.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from rich.console import Console
from rich.table import Table

import rbcalc
from benchmarks.machine import described
from benchmarks.processes import RBCALC, Spent, median_of, spent
from rbcalc.comparing.study import Option, Study
from rbcalc.rulebook.dials import dial_of, sources_of
from rbcalc.rulebook.rules import Partnership, Rules
from rbcalc.supposing.sweep import Bench, grid, values_of

ASKED = Path(__file__).with_name("work") / "sweep" / "question.yaml"
ROOT = Path(__file__).parents[1]
DWELLINGS = 950_000
"""So many have some 100,000 claims."""
HELD = 3
"""So many points are held against options."""


def living(rules: Rules, name: str = "") -> Partnership:
    """A partnership by name, or the first that lives."""
    found = [rules.partnership(each) for each in rules.partnership_names]
    return rules.partnership(name) if name else next(each for each in found if each.standing == "live")


def swept(service: Partnership, folder: Path, asked: Mapping[str, str], threads: int, repeats: int) -> dict[str, Any]:
    """One figure over a caseload: seconds for all its values, and whether some of them are what options come to."""
    year = service.default_year
    study = Study(service.councils(year), year, folder, threads=threads)
    dial = dial_of(asked["figure"])
    begin = time.perf_counter()
    points = grid(study.programs(study.baseline), {dial: asked["values"]})
    bench = Bench(study, study.baseline, [dial], values=values_of(points))
    ready = time.perf_counter() - begin
    times = []
    for _ in range(repeats):
        begin = time.perf_counter()
        found = bench.through(points)
        times.append(time.perf_counter() - begin)
    agrees = True
    for place in range(0, len(points), max(1, (len(points) - 1) // (HELD - 1))):
        sources = sources_of(bench.programs, points[place], study.year, "a point of the sweep")
        outcomes = study.tried(Option(f"point {place}", f"point {place}", tuple(sources), hypothetical=True))
        agrees &= found[place].cost == sum(int(outcome.amount.sum()) for outcome in outcomes.values())
    return {
        "work": "sweep",
        "points": len(points),
        "claims": sum(int((outcome.days > 0).sum()) for outcome in study.outcomes[study.baseline.name].values()),
        "threads": threads,
        "ready_s": round(ready, 3),
        "median_s": round(statistics.median(times), 3),
        "min_s": round(min(times), 3),
        "points_per_second": round(len(points) / statistics.median(times)),
        "agrees": agrees,
    }


def turned(service: Partnership, folder: Path, asked: Mapping[str, str], threads: int) -> dict[str, Any]:
    """One figure turned, value after value, as somebody waits for each: milliseconds for one, and whether the last is right."""
    year = service.default_year
    study = Study(service.councils(year), year, folder, threads=threads)
    dial = dial_of(asked["figure"])
    points = grid(study.programs(study.baseline), {dial: asked["values"]})
    bench = Bench(study, study.baseline, [dial], values=values_of(points))
    times = []
    for point in points:
        begin = time.perf_counter()
        found = bench.through([point])[0]
        times.append(1_000 * (time.perf_counter() - begin))
    sources = sources_of(bench.programs, found.settings, study.year, "the last value")
    outcomes = study.tried(Option("last", "the last value", tuple(sources), hypothetical=True))
    return {
        "work": "dial",
        "claims": sum(int((outcome.days > 0).sum()) for outcome in study.outcomes[study.baseline.name].values()),
        "threads": threads,
        "median_ms": round(statistics.median(times), 1),
        "min_ms": round(min(times), 1),
        "agrees": found.cost == sum(int(outcome.amount.sum()) for outcome in outcomes.values()),
    }


def answered(service: Partnership, folder: Path, asked: Mapping[str, str], threads: int, repeats: int) -> dict[str, Any]:
    """A whole question as a process of its own, in seconds; caches are filled before it is timed."""
    options = {"vary": asked["vary"], "target": asked["target"], "limit": asked["limit"], "collection-rate": asked["collection_rate"]}
    words = [str(ROOT / asked["scenario"]), "--year", asked["year"], *(word for name in options for word in (f"--{name}", options[name]))]
    return {"work": "question", **_process(service, folder, words, threads, repeats, paper=True)}


def dialled(service: Partnership, folder: Path, asked: Mapping[str, str], threads: int, repeats: int) -> dict[str, Any]:
    """One figure turned by a process of its own, in seconds: two whole runs compared."""
    words = ["--year", str(service.default_year), "--set", asked["setting"]]
    return {"work": "dial as a process", **_process(service, folder, words, threads, repeats, paper=False)}


def _process(service: Partnership, folder: Path, words: Sequence[str], threads: int, repeats: int, *, paper: bool) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="rbcalc-benchmark-") as place:
        # Where nothing may be written beside the modules, each process would compile them anew.
        bytecode = {"PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": str(Path(place) / "bytecode")}
        command = [RBCALC, "whatif", *words, "--partnership", service.name, "--caseload", str(folder), "--threads", str(threads)]
        command += ["--out", str(Path(place) / "out"), "--force"] if paper else []
        spent(command, bytecode)
        runs: list[Spent] = [spent(command, bytecode) for _ in range(repeats)]
    middle = median_of(runs)
    return {
        "threads": threads,
        "median_s": round(middle.wall, 2),
        "min_s": round(min(run.wall for run in runs), 2),
        "processor_s": round(middle.user + middle.system, 2),
        "peak_mib": round(middle.peak / 2**20),
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.sweep", description=__doc__)
    parser.add_argument("--partnership", default="", help="by default the first that lives")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--json", action="store_true", help="one object a line")
    given = parser.parse_args(arguments)
    rules = rbcalc.load()
    service = living(rules, given.partnership)
    asked = yaml.safe_load(ASKED.read_text(encoding="utf-8"))
    with tempfile.TemporaryDirectory(prefix="rbcalc-benchmark-") as place:
        folder = Path(place) / "caseload"
        rbcalc.sample(rules, partnership=service.name, year=service.default_year, out=folder)
        rows = [
            swept(service, folder, asked["sweep"], given.threads, given.repeats),
            dialled(service, folder, asked["dial"], given.threads, given.repeats),
            answered(service, folder, asked["question"], given.threads, given.repeats),
        ]
        rbcalc.sample(rules, partnership=service.name, year=service.default_year, out=folder, force=True, dwellings=DWELLINGS)
        rows.append(turned(service, folder, asked["dial"], given.threads))
    if given.json:
        sys.stdout.write("".join(f"{json.dumps(row)}\n" for row in rows))
    else:
        console = Console()
        console.print(described())
        for row in rows:
            table = Table(*row)
            table.add_row(
                *(f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value) for value in row.values())
            )
            console.print(table)
    return not all(row.get("agrees", True) for row in rows)


if __name__ == "__main__":
    sys.exit(main())
