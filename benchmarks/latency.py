"""How long a person waits: `python -m benchmarks.latency [--json]`.

Whole processes are started afresh for every repeat, with the bytecode that an installation has.  A changed figure in a warm
process is measured both ways: as a dial, where only what follows from it is worked out again, as sweeps and searches do; and
as a scenario, taken apart into linking, new arrays, and the run.  Both must give the same totals.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import yaml
from rich.console import Console
from rich.table import Table

import rbcalc
from benchmarks.council_tax import Work, first_council
from benchmarks.machine import described
from benchmarks.processes import RBCALC, spent
from rbcalc._places import rules_root
from rbcalc.rulebook.dials import Dial, read, turned, type_of
from rbcalc.running.run import Kernel
from rbcalc_kernels.compiled.again import Standing, Taken
from rbcalc_kernels.compiled.columns import Column
from rbcalc_kernels.compiled.spells import cut
from rbcalc_kernels.program.graph import Ref

CHANGE = Path(__file__).with_name("work") / "council_tax" / "change.yaml"
Measured = tuple[str, list[float], float | None]  # what, seconds, the target in seconds

IMPORTS = ("pass", "import rbcalc", "import rbcalc_cli.main", "import numpy", "import pyarrow", "import duckdb", "import numba")


def processes(repeats: int, dwellings: int) -> Iterator[Measured]:
    """Whole processes."""
    with tempfile.TemporaryDirectory(prefix="rbcalc-benchmark-") as place:
        folder = Path(place)
        # Where nothing may be written beside the modules, each process would compile them anew.
        bytecode = {"PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": str(folder / "bytecode")}

        def started(command: Sequence[str]) -> list[float]:
            spent(command, bytecode)
            return [spent(command, bytecode).wall for _ in range(repeats)]

        for statement in IMPORTS:
            yield f"python -c '{statement}'", started([sys.executable, "-c", statement]), None
        yield "rbcalc --help", started([RBCALC, "--help"]), 0.3
        council, year = first_council()
        whose = ["--council", council, "--year", year]
        few, many = folder / "few", folder / "many"
        made = ["sample", *whose, "--subject", rbcalc.load().subjects.all[0].name]
        spent([RBCALC, *made, "--dwellings", "1000", "--out", str(few)], bytecode)
        spent([RBCALC, *made, "--dwellings", str(dwellings), "--out", str(many)], bytecode)

        def rebill(source: Path, cache: Path, *more: str) -> float:
            command = [RBCALC, "rebill", *whose, "--caseload", str(source), "--out", str(folder / "out"), "--force", *more]
            return spent(command, {"RBCALC_CACHE_DIR": str(cache), **bytecode}).wall

        def cold(place: int) -> float:
            return rebill(few, folder / f"cold{place}")

        warm = folder / "warm"
        rebill(few, warm)
        yield "first figures, 1,000 dwellings, nothing in the cache", [cold(place) for place in range(min(3, repeats))], None
        yield "first figures, 1,000 dwellings, kernels in the cache", [rebill(few, warm) for _ in range(repeats)], None
        changed = folder / "rules"
        shutil.copytree(rules_root(), changed)
        told = yaml.safe_load(CHANGE.read_text(encoding="utf-8"))
        file = changed / told["file"]
        original = file.read_text(encoding="utf-8")
        assert told["find"] in original, "the rules have changed: put change.yaml right"

        def changed_rate(percent: int) -> float:
            file.write_text(original.replace(told["find"], told["replace"].replace("{percent}", str(percent))), encoding="utf-8")
            return rebill(many, warm, "--rules", str(changed))

        rebill(many, warm, "--rules", str(changed))
        yield (
            f"changed rate in a warm command, {dwellings:,} dwellings, Parquet to Parquet",
            [changed_rate(30 + n) for n in range(repeats)],
            1.5,
        )


def _totals(columns: Mapping[Ref, Column]) -> dict[Ref, int]:
    return {ref: int(column.sum(dtype=np.int64)) for ref, column in columns.items()}


def warm_process(repeats: int, dwellings: int) -> Iterator[Measured]:
    """A changed rate where rules and caseload are in memory."""
    work = Work(dwellings)
    name, year = work.council
    kernel, council = work.kernel, rbcalc.load().council(name)
    registers = work.caseload.columns()
    batch, _, before = kernel.run(registers, 2)
    bills = [ref for ref in kernel.bill if ref in before.columns]
    told = yaml.safe_load(CHANGE.read_text(encoding="utf-8"))
    dial = Dial(next(iter(yaml.safe_load(told["scenario"].replace("{percent}", "30"))["set"])))
    standing = Standing(Kernel(kernel.program, wanted=(bills, ())).compiled, batch, [dial.name], threads=2)
    found: dict[str, list[float]] = {"dial": [], "link": [], "new arrays": [], "rules": [], "cut": [], "all": []}

    def by_dial(percent: int) -> dict[Ref, int]:
        begin = time.perf_counter()
        program = turned(kernel.program, {dial: read(f"{percent}%", type_of(kernel.program, dial))})
        figures = standing.figures(program) if program is not None else None
        assert figures is not None, "the figure needs its rules linked again"
        parts: list[dict[Ref, int]] = []

        def take(number: int, taken: Taken) -> None:
            assert number == 0
            parts.append(_totals(taken.columns))

        standing.through([figures], take)
        totals = {ref: sum(part[ref] for part in parts) for ref in bills}
        found["dial"].append(time.perf_counter() - begin)
        return totals

    with tempfile.TemporaryDirectory(prefix="rbcalc-benchmark-") as folder:
        for turn in range(repeats + 1):
            totals = by_dial(30 + turn)
            path = Path(folder) / f"scenario{turn}.yaml"
            path.write_text(told["scenario"].replace("{percent}", str(30 + turn)), encoding="utf-8")
            begin = time.perf_counter()
            program = council.program(year, scenarios=[path])
            linked = time.perf_counter()
            changed = Kernel(program, like=kernel)
            ready = time.perf_counter()
            after = changed.compiled.run(batch, 2, checked=True)
            worked = time.perf_counter()
            cut(program, registers, changed.cuts)
            ended = time.perf_counter()
            columns = {ref: after.columns[ref] for ref in bills}
            assert any((column != before.columns[ref]).any() for ref, column in columns.items()), "the change does not show"
            assert totals == _totals(columns), "a dial gives other bills than rules that were linked again"
            for what, seconds in zip(
                ("link", "new arrays", "rules", "cut", "all"),
                (linked - begin, ready - linked, worked - ready, ended - worked, worked - begin),
                strict=True,
            ):
                found[what].append(seconds)
    steady = {what: times[1:] for what, times in found.items()}
    yield f"changed rate in a warm process, {dwellings:,} dwellings: a dial, to the totals of the bills", steady["dial"], 0.05
    yield "the same by a scenario, every rule worked out again", steady["all"], None
    for what, told_as in (
        ("link", "linking the rules with the scenario"),
        ("new arrays", "new arrays for the kernels"),
        ("rules", "the rules"),
    ):
        yield f"    of that: {told_as}", steady[what], None
    yield "    beside it: cutting into periods, where dates could have moved", steady["cut"], None


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.latency", description=__doc__)
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--dwellings", type=int, default=100_000)
    parser.add_argument("--only", choices=("processes", "warm"), default=None)
    parser.add_argument("--json", action="store_true", help="one object a line")
    given = parser.parse_args(arguments)
    parts: dict[str, Callable[[int, int], Iterator[Measured]]] = {"processes": processes, "warm": warm_process}
    table = Table("what", "median s", "least", "most", "target")
    for name, part in parts.items():
        if given.only not in (None, name):
            continue
        for what, times, target in part(given.repeats, given.dwellings):
            median = statistics.median(times)
            if given.json:
                print(
                    json.dumps(
                        {
                            "what": what.strip(),
                            "median_s": round(median, 4),
                            "min_s": round(min(times), 4),
                            "max_s": round(max(times), 4),
                            "target_s": target,
                        }
                    ),
                    flush=True,
                )
            goal = "" if target is None else f"{target:g}: {'met' if median < target else 'MISSED'}"
            table.add_row(what, f"{median:.3f}", f"{min(times):.3f}", f"{max(times):.3f}", goal)
    if not given.json:
        console = Console(width=None if sys.stdout.isatty() else 150)
        console.print(table)
        console.print(described(), style="dim", highlight=False)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
