"""Made-up households for a paper: typical ones as the rules declare them, and of these the ones that an option hits hardest."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from rbcalc._show import pounds
from rbcalc.incomes.cliffs_model import Household, fact_of, households_of, measure_of
from rbcalc.papers.sections import Award, Example
from rbcalc.rulebook.both import encoded

if TYPE_CHECKING:
    from rbcalc.comparing.study import Study
    from rbcalc.rulebook.rules import Rules
    from rbcalc_kernels.program.graph import Program

STEPS: Final = 20
"""The range of the amount that moves is looked at in so many steps."""

TYPICAL: Final = 5
"""Of a household the step at which this place falls is taken as typical."""

WORST: Final = 3
SHOWN: Final = 6


def examples_of(rules: Rules, study: Study, path: Path | None = None) -> list[Example]:
    """Typical households under each option, and for each option those that lose most; none is anybody's.

    Households come from a case file of the officer's own, or are those that the rules declare.  Raises UsageError and RulesError.
    """
    council = study.councils[0]
    measure = measure_of(rules)
    program = study.outcomes[study.baseline.name][council].program
    households, _ = households_of(rules, measure, program, path)
    plain = [each for each in households if each.varied is None and not each.moves]
    fact = fact_of(program, measure.varied.register, measure.varied.column)
    tried: list[tuple[Household, Fraction | None, Any]] = []
    for household in plain:
        if path is not None or not household.records.get(fact.table):
            tried.append((household, None, household.records))
            continue
        for step in range(STEPS):
            amount = measure.varied.last * step / STEPS
            first, *rest = household.records[fact.table]
            records = {**household.records, fact.table: [{**first, fact.column: amount}, *rest]}
            tried.append((household, amount, records))
    if not tried:
        return []
    weekly = {
        option.name: _weekly(study, study.outcomes[option.name][council].program, [each for _, _, each in tried])
        for option in study.options
    }
    return [_example(study, tried[place], place, weekly, kind) for place, kind in _chosen(study, tried, weekly, own=path is not None)]


def _chosen(
    study: Study, tried: list[tuple[Household, Fraction | None, Any]], weekly: dict[str, Any], *, own: bool
) -> list[tuple[int, str]]:
    """Which of the households are shown, and as what."""
    if own:
        return [(place, "") for place in range(len(tried))]
    base = weekly[study.baseline.name]
    found: dict[int, str] = {}
    for option in study.options[1:]:
        loss = base - weekly[option.name]
        for place in np.argsort(-loss, kind="stable")[:WORST]:
            if loss[place] > 0 and not any(tried[place][0] is tried[other][0] for other in found):
                found[int(place)] = f"among the worst hit by {option.title}"
    for place, (household, _, _) in enumerate(tried):
        typical = place % STEPS == TYPICAL
        if typical and base[place] > 0 and len(found) < SHOWN + WORST and not any(household is tried[other][0] for other in found):
            found[place] = "typical"
    return sorted(found.items(), key=lambda each: each[1] != "typical")


def _weekly(study: Study, program: Program, records: list[Any]) -> Any:
    """What each household is given a week, in pence; nothing where there is no result."""
    from rbcalc_kernels.compiled.spells import cut

    impact = next(each for each in program.impacts if each.name == study.impact.name)
    kernel = study.kernel(program, (impact.amount, impact.days))
    batch, _ = cut(program, encoded(program, records), kernel.cuts)
    results = kernel.compiled.run(batch)
    amount, days = (results.columns[ref].astype(np.int64) for ref in (impact.amount, impact.days))
    found = np.zeros(len(records), np.float64)
    good = (results.fault == 0) & (days > 0)
    found[batch.kept[good]] = np.round(amount[good] * 7 / days[good])
    return found


def _example(study: Study, tried: tuple[Household, Fraction | None, Any], place: int, weekly: dict[str, Any], kind: str) -> Example:
    household, amount, _ = tried
    about = f"Made up; {kind}." if kind else "Made up."
    if amount is not None:
        about = f"Made up; {kind}. With {pounds(amount)} a week."
    awards = {option.name: Award(Decimal(int(weekly[option.name][place])).scaleb(-2)) for option in study.options}
    return Example(household.name, about, awards)
