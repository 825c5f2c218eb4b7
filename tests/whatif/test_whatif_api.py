"""What-if from Python: scenarios from anything, runs compared, figures swept and sought; and everything says that it is hypothetical."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import yaml

import rbcalc
from rbcalc import Council, Partnership, Rules, RulesError, Run, UsageError
from rbcalc._years import FinancialYear
from rbcalc.supposing.whatif import Question, answered
from whatif.conftest import EAST, STEVENAGE, YEAR

SHARE = {
    "title": "A smaller share",
    "from": "2026-04-01",
    "source": {"document": "made up"},
    "set": {"share_working_age": {"value": "70%"}},
}
TEXT = yaml.safe_dump({"kind": "scenario", **SHARE}, sort_keys=False)
EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"


@pytest.fixture
def council(rules: Rules) -> Council:
    return rules.council(STEVENAGE)


@pytest.fixture(scope="module")
def run(rules: Rules, few: dict[str, Any], cache: Path) -> Run:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RBCALC_ENGINE", "python")
        patch.setenv("RBCALC_CACHE_DIR", str(cache))
        return rules.council(STEVENAGE).calculate(few, YEAR)


def awarded(run: Run) -> Decimal:
    return sum(run.bills["council_tax_reduction"].to_pylist(), Decimal(0))


# ------------------------------------------------------------------------------------------------------- with_scenario


def test_a_scenario_is_a_mapping_a_text_or_a_file(council: Council, service: Partnership, tmp_path: Path) -> None:
    path = tmp_path / "share.yaml"
    path.write_text(TEXT, encoding="utf-8")
    for given in (SHARE, TEXT, path, str(path)):
        program = council.with_scenario(given).program(YEAR)
        assert program.parameters["share_working_age"].by_period[0] * 10 == 7
        assert program.hypothetical
    assert not council.program(YEAR).hypothetical
    both = service.with_scenario({**SHARE, "only_for": [EAST]}).councils(YEAR)
    assert [each.program(YEAR).hypothetical for each in both] == [each.name == EAST for each in both]


def test_two_scenarios_from_memory_are_two(council: Council) -> None:
    """One on top of the other; the digest of the rules tells one set from the other."""
    cap = {**SHARE, "set": {"band_cap_working_age": {"value": "C"}}}
    both = council.with_scenario(SHARE, cap).program(YEAR)
    assert (both.parameters["share_working_age"].by_period[0] * 10, both.parameters["band_cap_working_age"].by_period[0]) == (7, "C")
    later = council.with_scenario(SHARE).with_scenario({**SHARE, "set": {"share_working_age": {"value": "60%"}}}).program(YEAR)
    assert later.parameters["share_working_age"].by_period[0] * 10 == 6
    assert len({each.digest for each in (both, later, council.with_scenario(SHARE).program(YEAR), council.program(YEAR))}) == 4


@pytest.mark.parametrize(("given", "said"), [
    ({"kind": "council", **SHARE, "adopted": "x"}, "RC060"),
    ("no_such.yaml", "no such file: no_such.yaml"),
    ({**SHARE, "only_for": ["stevnage"]}, "no such council: stevnage"),
])  # fmt: skip
def test_what_is_no_scenario(council: Council, given: Any, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        council.with_scenario(given)


def test_a_mistake_in_a_scenario_has_its_place(council: Council) -> None:
    with pytest.raises(RulesError) as told:
        council.with_scenario(TEXT.replace("set:", "sets:"))
    assert told.value.diagnostics[0].span.line == TEXT.splitlines().index("set:") + 1
    with pytest.raises(RulesError, match="nothing called 'share_workin_age' to set"):
        council.with_scenario(TEXT.replace("share_working_age", "share_workin_age")).program(YEAR)


# ---------------------------------------------------------------------------------------------------------- runs


def test_a_run_of_a_scenario_says_so_everywhere(council: Council, run: Run, few: dict[str, Any]) -> None:
    supposed = council.with_scenario(SHARE).calculate(few, YEAR)
    assert (run.hypothetical, supposed.hypothetical) == (False, True)
    for each, word in ((run, b"no"), (supposed, b"yes")):
        assert each.bills.schema.metadata == {b"year": YEAR.encode(), b"hypothetical": word}
        assert all(table.schema.metadata[b"hypothetical"] == word for table in each.details.values())
    assert repr(supposed).startswith("Run(hypothetical; 2026-27: stevenage; ")
    assert "hypothetical" not in repr(run)
    assert awarded(supposed) < awarded(run)


def test_a_scenario_cannot_be_billed(council: Council, few: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="a scenario cannot be billed") as told:
        rbcalc.rebill([council.with_scenario(SHARE)], YEAR, few, tmp_path / "out")
    assert told.value.code == "RC047"
    assert not (tmp_path / "out").exists()


def test_runs_are_compared(council: Council, run: Run, few: dict[str, Any]) -> None:
    supposed = council.with_scenario(SHARE).calculate(few, YEAR)
    found = rbcalc.compare(run, supposed, supposed)
    assert found.holds
    costs = {row["option"]: row["amount"] for row in found.costs.to_pylist() if row["council"]}
    assert costs == {
        "baseline": awarded(run),
        "A smaller share": awarded(supposed),
        "A smaller share (2)": awarded(supposed),
    }
    assert len(repr(found)) < 400
    back = rbcalc.compare(supposed, run)
    assert [row["change"] for row in back.costs.to_pylist() if row["council"]] == [0, awarded(run) - awarded(supposed)]


def test_runs_that_cannot_be_compared(council: Council, rules: Rules, run: Run, few: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match="nothing to compare with"):
        rbcalc.compare(run)
    fewer = few | {"accounts": few["accounts"].slice(0, 5)}
    with pytest.raises(UsageError, match="not of the same caseload"):
        rbcalc.compare(run, council.calculate(fewer, YEAR))
    other = Run(run.summary, run.bills, {}, run.rejects, run.caseload, (rules.council(EAST),))
    with pytest.raises(UsageError, match="not of the same councils"):
        rbcalc.compare(run, other)
    own = Run(run.summary, run.bills, {}, run.rejects, run.caseload, run.councils, (Path("own.yaml"),))
    with pytest.raises(UsageError, match="other charges of your own"):
        rbcalc.compare(run, own)


# ------------------------------------------------------------------------------------------------------ sweep and seek


def test_figures_are_swept(council: Council, run: Run, few: dict[str, Any]) -> None:
    table = rbcalc.sweep(council, few, YEAR, {"share_working_age": "70%,91.5%"}, limits=["loss <= £5/week"])
    assert table.schema.metadata[b"hypothetical"] == b"yes"
    assert table.column("share_working_age").to_pylist() == ["70%", "91.5%"]
    assert table.column("cost").to_pylist() == [awarded(council.with_scenario(SHARE).calculate(run.caseload, YEAR)), awarded(run)]
    assert table.column("beyond loss <= £5.00/week").to_pylist()[1] == 0
    on_top = rbcalc.sweep(council, few, YEAR, {"taper_working_age": "20%"}, scenario=SHARE)
    assert on_top.column("cost").to_pylist() == table.column("cost").to_pylist()[:1]
    assert on_top.column("change").to_pylist()[0] < 0


def test_figures_are_sought(council: Council, few: dict[str, Any], run: Run) -> None:
    found = rbcalc.seek(council, few, YEAR, {"share_working_age": "50%:91.5%:0.5%"}, "cost <= £28,000", ["loss <= £100/week"])
    assert isinstance(found, rbcalc.Sought)
    assert found.best is not None
    assert found.best.cost <= 2_800_000 < awarded(run) * 100
    assert len(repr(found)) < 120
    (source,) = found.scenarios(found.best)
    assert int(awarded(council.with_scenario(source.text).calculate(run.caseload, YEAR)) * 100) == found.best.cost
    assert rbcalc.seek(council, few, YEAR, {"share_working_age": "91%:91.5%:0.5%"}).best is not None


def test_a_year_is_needed_where_there_is_none(council: Council, few: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match="which financial year"):
        rbcalc.sweep(council, few, None, {"share_working_age": "70%"})


def test_an_officers_own_charges_go_along(council: Council, few: dict[str, Any], tmp_path: Path) -> None:
    """A run with charges of the officer's own is compared under the same charges."""
    own = tmp_path / "own.yaml"
    own.write_text(
        "kind: council\ntitle: Draft\nfrom: 2026-04-02\nto: 2027-03-31\nsource: {note: draft}\nadopted: draft\n"
        "extends: [england.council_tax]\nset: {band_d_amount: {rows: {billing_authority: £900}}}\n",
        encoding="utf-8",
    )
    run = council.calculate(few, YEAR, charges=[own])
    supposed = council.with_scenario(SHARE).calculate(run.caseload, YEAR, charges=[own])
    costs = [row["amount"] for row in rbcalc.compare(run, supposed).costs.to_pylist() if row["council"]]
    assert costs == [awarded(run), awarded(supposed)]


# ------------------------------------------------------------------------------------------------------------- answers


def test_each_change_is_costed_alone_and_together(council: Council, few: dict[str, Any]) -> None:
    """The cost alone, and what the option costs without it, as single options say it; dials are changes as those of a file are."""
    answer = answered(Question([council], FinancialYear.of(YEAR), few, settings=["share_working_age=70%", "taper_working_age=40%"]))
    changes = answer.comparison.tables["changes"].to_pylist()
    (share, taper) = ((row["change"], row["alone"], row["together_without"]) for row in changes if row["council"])
    figures = council.program(YEAR).parameters
    assert (share[0], taper[0]) == (figures["share_working_age"].title, figures["taper_working_age"].title)
    (whole,) = (row["change"] for row in answer.comparison.costs.to_pylist() if row["council"] and row["option"] != "baseline")
    alone = rbcalc.sweep(council, few, YEAR, {"share_working_age": "70%"}).column("change").to_pylist()[0]
    without = rbcalc.sweep(council, few, YEAR, {"taper_working_age": "40%"}).column("change").to_pylist()[0]
    assert share[1] == alone
    assert share[2] in (without, whole - without)


def test_a_household_keeps_what_it_had_less_a_step(council: Council, few: dict[str, Any], run: Run) -> None:
    """The example of transitional protection: a fact that only the scenario asks for, and a reduction that never falls below it."""
    before = {str(row["account"]): Decimal(str(row["council_tax_reduction"])) * 7 / 365 for row in run.bills.to_pylist()}
    weekly = [before.get(str(account), Decimal(0)).quantize(Decimal("0.01")) for account in few["claims"]["account"].to_pylist()]
    recorded = few | {"claims": few["claims"].append_column("reduction_before", pa.array(weekly, pa.decimal128(10, 2)))}
    cut = {**SHARE, "title": "Half", "set": {"share_working_age": {"value": "40%"}}}
    protection = EXAMPLES / "transitional_protection.yaml"
    answer = answered(Question([council], FinancialYear.of(YEAR), recorded, scenarios=[[cut], [cut, protection]], singly=False))
    plain, kept = (answer.study.outcomes[option.name][STEVENAGE] for option in answer.study.options[1:])
    base = answer.study.outcomes["baseline"][STEVENAGE]
    scheme = answer.study.groups[STEVENAGE]["claim_scheme"]
    working = scheme.codes == scheme.members.index("working_age")
    full = base.days == 365
    loss = (base.amount - kept.amount) * 7 / 36500
    assert (loss[full] <= 3.02).all()
    assert ((base.amount - plain.amount)[working & full] * 7 / 36500 > 3.02).any(), "without it some would lose more"
    assert (kept.amount >= plain.amount).all()
    assert (kept.amount[~working] == base.amount[~working]).all()
    assert answer.comparison.holds


def test_nothing_supposed_is_told(council: Council, few: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match="nothing is supposed"):
        answered(Question([council], FinancialYear.of(YEAR), few))
    with pytest.raises(UsageError, match="share_working_age is set twice"):
        answered(Question([council], FinancialYear.of(YEAR), few, settings=["share_working_age=70%", "share_working_age=71%"]))
