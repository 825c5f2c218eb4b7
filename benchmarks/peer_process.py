"""The peers' side of `benchmarks.peers`: run by the Python of an environment of its own, so it imports nothing of the project.

It is given a folder of households and the names of the peers, says which of them it has, then does one turn for each line it reads and
answers each with an object on a line.
"""

from __future__ import annotations

import gc
import importlib
import importlib.metadata
import json
import resource
import sys
import time
from pathlib import Path
from typing import Any


def spent() -> float:
    """Processor seconds of this process and of the children it has waited for."""
    used = [resource.getrusage(whose) for whose in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


class Clock:
    """Seconds by the wall and of the processor since it was made."""

    def __init__(self) -> None:
        gc.collect()
        self._wall, self._processor = time.perf_counter(), spent()

    def read(self) -> tuple[float, float]:
        """Both."""
        return time.perf_counter() - self._wall, spent() - self._processor


class Peer:
    """One peer with the households it was given."""

    def __init__(self, name: str, folder: Path) -> None:
        import numpy as np

        pandas = importlib.import_module("pandas")
        self.given = json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))
        self.package: str = self.given["module"]
        self.module = importlib.import_module(self.package)
        self.tables: dict[str, Any] = {}
        with np.load(folder / f"{name}.npz") as arrays:
            for key in arrays.files:
                table, column = key.split(".")
                self.tables.setdefault(table, pandas.DataFrame())[column] = arrays[key]
        for table, constants in self.given["set"].items():
            for column, value in constants.items():
                self.tables[table][column] = value

    @property
    def version(self) -> str:
        """As it is installed."""
        return importlib.metadata.version(self.package.replace("_", "-"))

    def turn(self) -> dict[str, Any]:
        """Build and work out once."""
        return self.microsimulated() if self.given["wanted"] else self.piped()

    def microsimulated(self) -> dict[str, Any]:
        """A simulation of policyengine-uk, built and worked out."""
        import numpy as np

        schema = importlib.import_module(f"{self.package}.data.dataset_schema")
        clock = Clock()
        tables = {table: frame.copy() for table, frame in self.tables.items()}
        year = self.given["year"]
        single = schema.UKSingleYearDataset(**tables, fiscal_year=year)
        # Several years, of which there is one, are taken as they are; a single year would be carried forward to others.
        simulation = self.module.Simulation(dataset=schema.UKMultiYearDataset(datasets=[single]))
        _, build = clock.read()
        held = known(simulation)
        clock = Clock()
        found = {benefit: np.asarray(simulation.calculate(benefit, year)) for benefit in self.given["wanted"]}
        wall, processor = clock.read()
        variables = len(known(simulation) - held)
        households = len(self.tables["household"])  # a benefit may be that of a family, of which another adult is one alone
        return {
            "wall_s": wall,
            "processor_s": processor,
            "build_s": build,
            "benefits": {
                benefit: (float((values > 0).sum() / households), float(values.sum(dtype=np.float64) / households))
                for benefit, values in found.items()
            },
            "type": ", ".join(sorted({str(values.dtype) for values in found.values()})),
            "variables": variables,
        }

    def piped(self) -> dict[str, Any]:
        """policyengine-uk-compiled: whole households as text through a process and back."""
        clock = Clock()
        simulation = self.module.Simulation(
            year=self.given["year"], persons=self.tables["person"], benunits=self.tables["benunit"], households=self.tables["household"]
        )
        found = simulation.run_microdata()
        wall, processor = clock.read()
        return {
            "wall_s": wall,
            "processor_s": processor,
            "build_s": 0.0,
            "columns": sum(len(getattr(found, table).columns) for table in ALL),
        }


ALL = ("persons", "benunits", "households")


def known(simulation: Any) -> set[str]:
    """The variables of which a simulation holds values."""
    holders = [item for population in simulation.populations.values() for item in population._holders.items()]  # noqa: SLF001
    return {name for name, holder in holders if holder.get_known_periods()}


def main(folder: Path, names: list[str]) -> None:
    """Say what is there, then take turns until there is nothing more to read."""
    answers = sys.stdout
    sys.stdout = sys.stderr  # what a peer prints is no answer
    peers: dict[str, Peer] = {}
    absent: dict[str, str] = {}
    for name in names:
        try:
            peers[name] = Peer(name, folder)
        except ImportError as error:
            absent[name] = str(error)
    print(json.dumps({"there": {name: peer.version for name, peer in peers.items()}, "absent": absent}), file=answers, flush=True)
    for line in sys.stdin:
        print(json.dumps(peers[line.strip()].turn()), file=answers, flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
