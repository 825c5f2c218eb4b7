"""Council Tax Reduction, Housing Benefit, or both, beside policyengine-uk: `python -m benchmarks.peers --peer-python PATH [--work NAME]`.

A peer runs in an environment of its own, which this project never makes, asks for or tests with:

    python -m venv X
    X/bin/pip install policyengine-uk policyengine-uk-compiled
    python -m benchmarks.peers --peer-python X/bin/python

The claims are those of the work `reduction`, of `housing_benefit`, or of `both`: the same people with a charge and a rent. A peer's
households are made from the same registers (ages, incomes, capital, the charge that rbcalc finds or the rent, other adults), in its
own words as households.yaml, tenants.yaml and both.yaml have them. Turns alternate; one thread each; processor time counts, since
that is what a busy machine distorts least. Awards are not compared to the penny: the rules differ.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt
import yaml
from rich.console import Console
from rich.table import Table

from benchmarks.machine import described
from benchmarks.measuring import Contender
from benchmarks.reduction import Both, Work, billed_council
from rbcalc_kernels.compiled.cutting import CutDates
from rbcalc_kernels.compiled.spells import cut
from rbcalc_kernels.language.types import Choice

HERE = Path(__file__)
PEERS = HERE.with_name("work") / "peers"
ASKED = PEERS / "households.yaml"
WORKS = {
    "reduction": (ASKED, ("council_tax_reduction",)),
    "housing_benefit": (PEERS / "tenants.yaml", ("housing_benefit",)),
    "both": (PEERS / "both.yaml", ("council_tax_reduction", "housing_benefit")),
}
"""By work: what a peer is told, and the benefits that are asked for."""

SIDE = HERE.with_name("peer_process.py")
PASSES = 15
"""Passes of rbcalc in a turn, after one that is not timed."""

WEEKS = 52
GROWN = 30
"""Years of another adult, of whom our registers do not say how old they are."""

FULL_TIME, PART_TIME = 35, 20
ONE_THREAD = dict.fromkeys(
    ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS", "NUMBA_NUM_THREADS", "RAYON_NUM_THREADS"), "1"
)

Column = npt.NDArray[Any]
Tables = dict[str, dict[str, Column]]


def figures(work: Work, charge: Column, day: date) -> Tables:
    """What there is to say of people, of their families and of households: pounds and weeks of a whole year.

    The applicant and the partner of each claim come first, as one family; each other adult is a family alone.
    """
    registers = work.registers
    couples, others = registers["household"], registers["non_dependants"]
    own, whose = np.asarray(couples.owner), np.asarray(others.owner)
    lived = (np.datetime64(day, "D").astype(np.int64) - couples.columns["born"]) / 365.2425
    kind = next(fact.type for fact in work.program.inputs.values() if fact.table == "incomes" and fact.name == "income_kind")
    assert isinstance(kind, Choice)
    incomes = registers["incomes"]
    yearly = incomes.columns["amount"] / 100 * WEEKS
    nothing = np.zeros(whose.size)

    def of(name: str) -> Column:
        found = np.zeros(own.size)
        rows = incomes.columns["income_kind"] == kind.code(name)
        found[np.asarray(incomes.owner)[rows]] = yearly[rows]
        return found

    earned, works = of("employed_earnings"), others.columns["in_work"] != 0
    hours = np.concatenate([np.where(earned > 0, PART_TIME, 0), np.where(works, FULL_TIME, 0)]).astype(float)
    families = np.arange(work.claims + whose.size)
    return {
        "person": {
            "family": np.concatenate([own, families[work.claims :]]).astype(np.int64),
            "household": np.concatenate([own, whose]).astype(np.int64),
            "age": np.floor(np.concatenate([lived, nothing + GROWN])),
            "earnings": np.concatenate([earned, others.columns["gross_income"] / 100 * WEEKS]),
            "state_pension": np.concatenate([of("state_pension"), nothing]),
            "occupational_pension": np.concatenate([of("occupational_pension"), nothing]),
            "hours": hours,
            "annual_hours": hours * WEEKS,
        },
        "benunit": {"claims": families < work.claims, "household": np.concatenate([np.arange(work.claims), whose]).astype(np.int64)},
        "household": {
            "charge": charge / 100,
            "capital": registers["claims"].columns["capital"] / 100,
            "rent": registers["rents"].columns["rent"] / 100 * WEEKS if work.rent else np.zeros(work.claims),
        },
    }


def linked(module: str, ours: Tables) -> Tables:
    """The columns by which a peer finds who belongs together."""
    people, families, households = ours["person"], len(ours["benunit"]["claims"]), len(ours["household"]["charge"])
    ids = np.arange(people["age"].size)
    if module == "policyengine_uk":
        return {
            "person": {"person_id": ids, "person_benunit_id": people["family"], "person_household_id": people["household"]},
            "benunit": {"benunit_id": np.arange(families)},
            "household": {"household_id": np.arange(households)},
        }
    first = np.zeros(ids.size, dtype=bool)
    first[np.unique(people["family"], return_index=True)[1]] = True
    return {
        "person": {
            "person_id": ids, "benunit_id": people["family"], "household_id": people["household"],
            "is_benunit_head": first, "is_household_head": first & (people["family"] < households),
        },
        "benunit": {
            "benunit_id": np.arange(families), "household_id": ours["benunit"]["household"],
            "person_ids": joined(people["family"], families),
        },
        "household": {
            "household_id": np.arange(households), "benunit_ids": joined(ours["benunit"]["household"], households),
            "person_ids": joined(people["household"], households),
        },
    }  # fmt: skip


def joined(owner: Column, owners: int) -> Column:
    """For each owner, the places of what is its own, with semicolons between them."""
    found: list[list[str]] = [[] for _ in range(owners)]
    for place, each in enumerate(owner.tolist()):
        found[each].append(str(place))
    return np.array([";".join(each) for each in found])


def written(folder: Path, name: str, asked: dict[str, Any], ours: Tables, year: int) -> None:
    """The households for one peer, as it wants them."""
    arrays: dict[str, Column] = {}
    for table, links in linked(asked["module"], ours).items():
        named = {theirs: ours[table][figure] for theirs, figure in asked[table].items()}
        arrays |= {f"{table}.{column}": values for column, values in (links | named).items()}
    np.savez(folder / f"{name}.npz", allow_pickle=False, **arrays)
    rest = {"year": year} | {key: asked[key] for key in ("module", "wanted", "set")}
    (folder / f"{name}.json").write_text(json.dumps(rest), encoding="utf-8")


class Process:
    """The peers, behind a pipe."""

    def __init__(self, python: str, folder: Path, names: Sequence[str]) -> None:
        environment = os.environ | ONE_THREAD
        environment.pop("PYTHONPATH", None)
        self._process = subprocess.Popen(
            [python, str(SIDE), str(folder), *names], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment, cwd=folder
        )
        assert self._process.stdin is not None and self._process.stdout is not None
        self._asks: IO[str] = self._process.stdin
        self._answers: IO[str] = self._process.stdout
        found = self._answer()
        self.there: dict[str, str] = found["there"]
        self.absent: dict[str, str] = found["absent"]

    def turn(self, name: str) -> dict[str, Any]:
        """What one turn took."""
        self._asks.write(f"{name}\n")
        self._asks.flush()
        return self._answer()

    def _answer(self) -> dict[str, Any]:
        answer = self._answers.readline()
        if not answer:
            raise RuntimeError(f"the peers' process ended with {self._process.wait()}")
        found: dict[str, Any] = json.loads(answer)
        return found

    def close(self) -> None:
        """End it."""
        self._asks.close()
        self._process.wait()
        self._answers.close()


@dataclass
class Timed:
    """What a technology took in all its turns."""

    technology: str
    version: str
    claims: int
    turns: list[dict[str, Any]] = field(default_factory=list)

    def median(self, key: str) -> float:
        """In seconds."""
        return float(statistics.median(turn[key] for turn in self.turns))

    def line(self, own: Timed, fitted: Timed) -> dict[str, Any]:
        """As it is printed; `own` is rbcalc as it comes, `fitted` with rules compiled for the facts of these claims."""
        last = self.turns[-1]
        processor, build = self.median("processor_s"), self.median("build_s")
        found: dict[str, Any] = {
            "technology": self.technology,
            "version": self.version,
            "claims": self.claims,
            "times": len(self.turns),
            "processor_ms": round(processor * 1e3, 2),
            "least_ms": round(min(turn["processor_s"] for turn in self.turns) * 1e3, 2),
            "wall_ms": round(self.median("wall_s") * 1e3, 2),
            "build_ms": round(build * 1e3, 1),
            "microseconds_a_claim": round(processor / self.claims * 1e6, 3),
        }
        if self is not own and self is not fitted:
            times = processor / own.median("processor_s")
            found["rbcalc_is_faster"] = round(times, 1)
            found["rbcalc_fitted_is_faster"] = round(processor / fitted.median("processor_s"), 1)
            found["and_with_building"] = round((processor + build) / (own.median("processor_s") + own.median("build_s")), 1)
        for benefit, (share, mean) in last.get("benefits", {}).items():
            found |= {f"{benefit}_awarded": round(share, 4), f"{benefit}_mean": round(mean, 4)}
        return found | {key: last[key] for key in ("type", "variables", "columns") if key in last}


def ours_of(name: str, claims: int, year: str) -> tuple[list[Work], Work | Both]:
    """Our side of a work, alone and as one; the last of several has the people that a peer is told of."""
    if name == "both":
        both = Both(claims, year)
        return list(both.parts.values()), both
    work = Work(claims, rent=name == "housing_benefit", year=year)
    return [work], work


def timed(contender: Contender) -> dict[str, Any]:
    """One pass."""
    assert contender.run is not None
    wall, processor = time.perf_counter(), time.process_time()
    contender.run()
    return {"wall_s": time.perf_counter() - wall, "processor_s": time.process_time() - processor}


def run(claims: int, turns: int, python: str, name: str = "reduction", year: str = "") -> tuple[list[Timed], dict[str, str]]:
    """All turns of a work; what is not there is said beside them."""
    place_of, wanted = WORKS[name]
    asked: dict[str, Any] = yaml.safe_load(place_of.read_text(encoding="utf-8"))
    works, whole = ours_of(name, claims, year)
    contenders = [whole.rbcalc(1)]
    assert contenders[0].figures is not None
    found = {figure.rpartition(": ")[2]: values for figure, values in contenders[0].figures().items()}
    own = [Timed(technology, "", claims) for technology in ("rbcalc", "rbcalc_fitted")]
    _, when = billed_council(year)
    begins = int(when[:4])
    ours = figures(works[-1], found.get("charge_total", np.zeros(claims)), date(begins, 4, 1))
    with tempfile.TemporaryDirectory(prefix="rbcalc-benchmark-") as place:
        for peer_name, how in asked.items():
            written(Path(place), peer_name, how, ours, begins)
        with closing(Process(python, Path(place), list(asked))) as process:
            peers = [Timed(peer_name, version, claims) for peer_name, version in process.there.items()]
            contenders += [whole.rbcalc_fitted(1)] if peers else []
            for _ in range(turns if peers else 0):
                begin = time.process_time()
                for work in works:
                    cut(work.program, work.registers, CutDates(work.program))
                build = time.process_time() - begin
                for each, contender in zip(own, contenders, strict=True):
                    timed(contender)
                    each.turns += [timed(contender) | {"build_s": build} for _ in range(PASSES)]
                for peer in peers:
                    peer.turns.append(process.turn(peer.technology))
            absent = process.absent
    for each in own:
        if each.turns:
            each.turns[-1]["benefits"] = {name: (float((found[name] > 0).mean()), float(found[name].mean()) / 100) for name in wanted}
    return [*own, *peers], absent


def shown(lines: Sequence[dict[str, Any]]) -> Table:
    """A technology a column: there are few of them and much to say of each."""
    table = Table(*["", *(f"{line['technology']} {line['version']}".strip() for line in lines)])
    keys = dict.fromkeys(key for line in lines for key in line if key not in ("technology", "version"))
    for key in keys:
        values = [line.get(key, "") for line in lines]
        table.add_row(key.replace("_", " "), *(f"{value:,}" if isinstance(value, int | float) else str(value) for value in values))
    return table


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.peers", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--peer-python", required=True, metavar="PATH", help="the Python of the environment that has the peers")
    parser.add_argument("--claims", type=int, default=100_000)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--work", choices=WORKS, default="reduction")
    parser.add_argument("--year", default="", metavar="YYYY-YY", help="by default that of today")
    parser.add_argument("--json", action="store_true", help="one object a line, on standard output")
    given = parser.parse_args(arguments)
    python = shutil.which(given.peer_python)
    if python is None:
        parser.error(f"there is no program {given.peer_python}")
    # A link is not followed: it says which environment is meant.
    found, absent = run(given.claims, given.turns, str(Path(python).absolute()), given.work, given.year)
    console = Console(stderr=given.json, width=None if sys.stdout.isatty() else 150)
    for name, why in absent.items():
        console.print(f"{name} is left out: {why}", style="yellow", highlight=False)
    if len(found) == 2:
        console.print("no peer is there; how to make an environment for them is said in --help", style="red")
        return 2
    lines = [each.line(*found[:2]) for each in found]
    if given.json:
        sys.stdout.write("".join(f"{json.dumps(line)}\n" for line in lines))
    else:
        console.print(shown(lines))
        console.print(described(), style="dim", highlight=False)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
