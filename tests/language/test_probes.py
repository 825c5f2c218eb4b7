"""Hard passages of the law of rates and benefits, each said in the language and worked out by both evaluators."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from language.linking_toolbox import compare, evaluate, linked, records_of
from rbcalc_kernels.exact.faults import CalculationFault
from rbcalc_kernels.language.documents import CasesFile
from rbcalc_kernels.program.library import Library
from rbcalc_kernels.source import Findings

FOLDER = Path(__file__).resolve().parent / "probes"
PROBES = sorted(folder.name for folder in FOLDER.iterdir())


def cases_of(probe: str) -> CasesFile:
    found = Findings()
    source = Library(FOLDER).open(FOLDER / probe / "cases.yaml", found)
    assert source is not None, list(found)
    assert isinstance(source.content, CasesFile)
    return source.content


def merged(shared: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """The shared records with a case's laid over them: a mapping changes the shared record, a list replaces it."""
    facts = dict(shared)
    for register, given in own.items():
        below = shared.get(register, {})
        usual = below if isinstance(below, Mapping) else {}
        facts[register] = [{**usual, **record} for record in given] if isinstance(given, list) else {**usual, **given}
    return facts


@pytest.mark.parametrize("probe", PROBES)
def test_the_law_can_be_said_and_comes_out_right(probe: str) -> None:
    file = cases_of(probe)
    assert len(file.cases) >= 4
    wrong: list[str] = []
    for case in file.cases:
        program = linked(FOLDER, [FOLDER / probe / "rules.yaml"], year=int(str(case.year or file.year)[:4])).program
        try:
            row = evaluate(program, records_of(program, merged(file.given, case.given)))
        except CalculationFault as fault:
            wrong.append(f"{case.name}: {fault}")
            continue
        wrong += [f"{case.name}: {difference}" for difference in compare(program, row, case.expect)]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("probe", PROBES)
def test_rules_and_cases_have_sources_and_no_warnings(probe: str) -> None:
    file = cases_of(probe)
    assert all(case.source or file.source for case in file.cases)
    years = {int(str(case.year or file.year)[:4]) for case in file.cases}
    assert all(len(linked(FOLDER, [FOLDER / probe / "rules.yaml"], year=year).findings) == 0 for year in years)
