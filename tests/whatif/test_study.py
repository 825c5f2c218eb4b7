"""A study: what sets of rules come to for each account, and the groups that accounts fall into."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from rbcalc import FinancialYear, Partnership, Rules, UsageError
from rbcalc.caseload.importing import import_caseload
from rbcalc.comparing.comparison import comparison
from rbcalc.comparing.study import Option, Study, UnsettledError, references
from rbcalc.rulebook.both import records_of
from rbcalc.running.roll_forward import uprating_for
from rbcalc.supposing.scenarios import baseline_of, file_of, neighbour, opened, option_of
from rbcalc.supposing.singles import Singles
from rbcalc_kernels.exact.evaluator import Evaluator
from rbcalc_kernels.exact.faults import CalculationFault
from rbcalc_kernels.exact.spells import build
from whatif.conftest import EAST, STEVENAGE, YEAR, only

DOCS = Path(__file__).parents[2] / "docs"

# --------------------------------------------------------------------------------------------------------- the figures


def test_amounts_days_and_groups_are_those_of_the_exact_evaluator(study: Study) -> None:
    """Each account by itself: the amount for the year, the days, and of each group the last row."""
    claimed = 0
    for council in study.councils:
        outcome, groups = study.outcomes["baseline"][council], study.groups[council]
        program, part = outcome.program, study.parts[council]
        impact = next(each for each in program.impacts if each.name == study.impact.name)
        wanted = [impact.amount, impact.days, *(ref for ref in impact.by if ref not in program.inputs)]
        for place in np.flatnonzero(outcome.days > 0)[:6].tolist() + np.flatnonzero(outcome.days == 0)[:4].tolist():
            root = build(program, records_of(program, part.columns(), place))
            Evaluator(program, wanted).run(root)
            assert (outcome.amount[place], outcome.days[place]) == (root.values[impact.amount.name] * 100, root.values[impact.days.name])
            claimed += outcome.days[place] > 0
            for ref in impact.by:
                rows = [row for row in root.walk() if row.entity == ref.entity]
                value = rows[-1].values.get(ref.name) if rows else None
                value = None if value == "not_recorded" else value
                code, members = int(groups[ref.name].codes[place]), groups[ref.name].members
                told = None if code < 0 else members[code]
                assert told == ({True: "yes", False: "no"}.get(value, value) if value is not None else None), (ref, place)  # type: ignore[arg-type, comparison-overlap]
    assert claimed > 8


def test_accounts_without_a_claim_are_in_no_group_of_claims(study: Study) -> None:
    for council in study.councils:
        outcome, groups = study.outcomes["baseline"][council], study.groups[council]
        assert (groups["family_type"].codes[outcome.days > 0] >= 0).all()
        never = np.isin(references(study, council), study.parts[council].references.to_pylist()) & (outcome.days == 0)
        assert (groups["family_type"].codes[never] == -1).all()
        assert (groups["charged_band"].codes >= 0).all(), "a band is everybody's"
        assert (outcome.amount[outcome.days == 0] == 0).all()


def test_facts_that_are_not_recorded_are_no_member(service: Partnership, few: dict[str, Any]) -> None:
    """Without the column of tenure, and with it for some."""
    council = [service.rules.council(STEVENAGE)]
    claims = few["claims"]
    without = claims.drop_columns(["tenure"])
    mine = [row["account"] for row in few["accounts"].to_pylist()]
    some = ["owner" if account in mine[::2] else None for account in claims["account"].to_pylist()]
    mixed = without.append_column("tenure", pa.array(some, pa.string()))
    found = [Study(council, YEAR, {**few, "claims": each}).groups[STEVENAGE]["tenure"].codes for each in (without, mixed)]
    assert (found[0] == -1).all()
    assert 0 < (found[1] >= 0).sum() < len(found[1])


def test_sex_is_told_where_it_is_recorded(service: Partnership, few: dict[str, Any]) -> None:
    """Women, men and couples, by the facts of each applicant alone; without the column nobody is told apart."""
    council = [service.rules.council(STEVENAGE)]
    study = Study(council, YEAR, few)
    group, program = study.groups[STEVENAGE]["applicant_sex"], study.outcomes["baseline"][STEVENAGE].program
    assert group.members == ("woman_without_partner", "man_without_partner", "couple")
    for place in np.flatnonzero(group.codes >= 0).tolist():
        root = build(program, records_of(program, study.parts[STEVENAGE].columns(), place))
        claim = [row for row in root.walk() if row.entity == "assessment"][-1]
        people = [row.values for row in claim.walk() if row.entity == "household_member"]
        paired = any(person["role"] == "partner" for person in people)
        alone = next(person["sex"] for person in people if person["role"] == "applicant")
        wanted = "couple" if paired else {"female": "woman_without_partner", "male": "man_without_partner"}[str(alone)]
        assert group.members[group.codes[place]] == wanted
    assert len(np.unique(group.codes)) > 2
    without = Study(council, YEAR, {**few, "household": few["household"].drop_columns(["sex"])})
    assert (without.groups[STEVENAGE]["applicant_sex"].codes == -1).all()


def test_wards_are_those_that_the_council_lists(study: Study, tables: dict[str, Any]) -> None:
    """Each account lies where its dwelling does; a council without a list tells none."""
    listed, none = (study.groups[council]["ward"] for council in (STEVENAGE, EAST))
    assert none.members == ()
    assert (none.codes == -1).all()
    assert len(listed.members) == 13
    wards = {row["dwelling"]: row["ward"] for row in tables["dwellings"].to_pylist()}
    homes = {str(row["account"]): row["dwelling"] for row in tables["accounts"].to_pylist()}
    told = [listed.members[code] if code >= 0 else None for code in listed.codes.tolist()]
    assert told == [wards[homes[account]] for account in references(study, STEVENAGE)]
    assert len(set(told)) > 5


def test_the_last_row_of_the_year_says_the_group(service: Partnership, few: dict[str, Any]) -> None:
    """A household that is reclassified on the way is counted where it stands at the end."""
    claims = few["claims"].to_pylist()
    mine = {row["account"] for row in few["accounts"].to_pylist()}
    first = next(row for row in claims if row["account"] in mine and row.get("to") is None)
    day = first["from"].replace(year=2026, month=10, day=5)
    before = {**first, "to": day.replace(day=4), "tenure": "owner"}
    after = {**first, "from": day, "tenure": "private_tenant"}
    rows = [row for row in claims if row is not first]
    for order in ([before, after], [after, before]):
        moved = pa.Table.from_pylist([*order, *rows], schema=few["claims"].schema)
        study = Study([service.rules.council(STEVENAGE)], YEAR, {**few, "claims": moved})
        group = study.groups[STEVENAGE]["tenure"]
        place = references(study, STEVENAGE).index(str(first["account"]))
        assert group.members[group.codes[place]] == "private_tenant"


# -------------------------------------------------------------------------------------------------- accounts that fail


def test_an_account_without_a_result_is_told_and_left_out(service: Partnership, small: Study, faulty: dict[str, Any]) -> None:
    broken = Study([service.rules.council(STEVENAGE)], YEAR, faulty)
    found, wrong = small.outcomes["baseline"][STEVENAGE], broken.outcomes["baseline"][STEVENAGE]
    assert found.rejected.sum() == 0
    assert wrong.rejected.sum() == 1
    (place,) = np.flatnonzero(wrong.rejected)
    with pytest.raises(CalculationFault):
        build(wrong.program, records_of(wrong.program, broken.parts[STEVENAGE].columns(), int(place)))
    assert (wrong.amount[place], wrong.days[place]) == (0, 0)
    assert all(group.codes[place] == -1 for group in broken.groups[STEVENAGE].values())
    others = ~wrong.rejected
    assert np.array_equal(found.amount[others], wrong.amount[others])
    option = option_of(broken.baseline, [opened(service.rules, CAPITAL)])
    broken.add(option)
    table = comparison(broken)
    assert table.holds
    assert {row["amount"] for row in table.costs.to_pylist() if row["option"] == "baseline"} == {Fraction(int(wrong.amount.sum()), 100)}


OWN_LIMIT, LIMIT = "Limit of capital in the council's scheme", "Capital above which there is no reduction"
SHARE = "Largest share of the charge that the council's scheme meets"
CAPITAL: dict[str, Any] = {
    "title": "A lower limit of capital",
    "from": "2026-04-01",
    "source": {"document": "made up"},
    "set": {"capital_limit_working_age": {"value": "£3000"}, "capital_limit": {"value": "£3000"}},
}


# ------------------------------------------------------------------------------------------------------- the baselines


def test_a_council_is_what_it_is_in_its_partnership(service: Partnership, study: Study, tables: dict[str, Any]) -> None:
    alone = Study([service.rules.council(STEVENAGE)], YEAR, only(tables, [STEVENAGE], 14))
    assert references(alone, STEVENAGE) == references(study, STEVENAGE)
    option = option_of(study.baseline, [opened(service.rules, CAPITAL)])
    for one, other in (
        (alone.outcomes["baseline"][STEVENAGE], study.outcomes["baseline"][STEVENAGE]),
        (alone.tried(option)[STEVENAGE], study.tried(option)[STEVENAGE]),
    ):
        assert np.array_equal(one.amount, other.amount)
        assert np.array_equal(one.days, other.days)
        assert one.totals == other.totals
    for name, group in study.groups[STEVENAGE].items():
        assert np.array_equal(alone.groups[STEVENAGE][name].codes, group.codes)


def test_a_caseload_that_is_rolled_forward(service: Partnership, rules: Rules, few: dict[str, Any]) -> None:
    council = rules.council(STEVENAGE)
    uprating = uprating_for(rules, FinancialYear.of(YEAR))
    read = import_caseload(few, council.program(YEAR), council=STEVENAGE)
    by_hand = uprating_for(rules, FinancialYear.of(YEAR)).rolled_forward(read, council.program(YEAR).registers)
    forward = Study([council], YEAR, few, uprating=uprating)
    expected = Study([council], YEAR, by_hand)
    assert np.array_equal(forward.outcomes["baseline"][STEVENAGE].amount, expected.outcomes["baseline"][STEVENAGE].amount)
    assert len(forward.assumptions) > len(expected.assumptions)
    assert forward.digest == read.digest


def test_the_rules_of_another_year_are_the_baseline(rules: Rules, small: Study, few: dict[str, Any]) -> None:
    council = rules.council(STEVENAGE)
    base = Option("baseline", "The rules of 2025-26", year=FinancialYear.of("2025-26"))
    study = Study([council], YEAR, few, baseline=base)
    now = study.add(Option(YEAR, YEAR))[STEVENAGE]
    earlier = study.outcomes["baseline"][STEVENAGE]
    assert earlier.program is council.program("2025-26")
    for place in np.flatnonzero(earlier.days)[:4].tolist():
        root = build(earlier.program, records_of(earlier.program, study.parts[STEVENAGE].columns(), place))
        Evaluator(earlier.program, [study.impact.amount]).run(root)
        assert root.values[study.impact.amount.name] * 100 == earlier.amount[place]
    assert np.array_equal(now.amount, small.outcomes["baseline"][STEVENAGE].amount)
    assert comparison(study).holds


def test_a_neighbours_scheme_and_one_for_all(service: Partnership, study: Study, rules: Rules) -> None:
    """Under the other's files each council has the other's scheme with its own charges; the other council is as it was."""
    source = neighbour(rules, service.councils(YEAR), EAST, "reduction", study.year)
    option = option_of(study.baseline, [source])
    found = study.tried(option)
    base = study.outcomes["baseline"]
    east, mine = (found[name].program for name in (EAST, STEVENAGE))
    assert np.array_equal(found[EAST].amount, base[EAST].amount)
    assert not east.hypothetical
    assert mine.hypothetical
    theirs, own = (each.tables["income_treatment_working_age"].by_period for each in (east, base[STEVENAGE].program))
    assert mine.tables["income_treatment_working_age"].by_period == theirs != own
    assert mine.tables["band_d_amount"] == base[STEVENAGE].program.tables["band_d_amount"]


def test_a_neighbour_without_such_files(service: Partnership, study: Study, rules: Rules) -> None:
    with pytest.raises(UsageError, match="no rules under schemes") as told:
        neighbour(rules, service.councils(YEAR), EAST, "schemes", study.year)
    assert "charges, reduction" in told.value.hint
    with pytest.raises(UsageError, match="no such council: east_hert"):
        neighbour(rules, service.councils(YEAR), "east_hert", "reduction", study.year)


def test_a_scenario_may_be_for_one_council_only(service: Partnership, study: Study) -> None:
    option = option_of(study.baseline, [opened(service.rules, {**CAPITAL, "only_for": [STEVENAGE]})])
    found, every = study.tried(option), study.tried(option_of(study.baseline, [opened(service.rules, CAPITAL)]))
    assert np.array_equal(found[EAST].amount, study.outcomes["baseline"][EAST].amount)
    assert np.array_equal(found[STEVENAGE].amount, every[STEVENAGE].amount)
    assert (found[EAST].program.hypothetical, found[STEVENAGE].program.hypothetical) == (False, True)


# ---------------------------------------------------------------------------------------------------- single changes


def test_amounts_are_those_of_a_whole_run(service: Partnership, study: Study) -> None:
    """Only the accounts with claims are worked out, and nothing is lost by it."""
    option = option_of(study.baseline, [opened(service.rules, CAPITAL)])
    found, whole = study.amounts(option), study.tried(option)
    for council in study.councils:
        held, part = study.touched(council)
        assert 0 < held.sum() == len(part.references) < len(study.parts[council].references)
        for name in ("amount", "days", "rejected"):
            assert np.array_equal(getattr(found[council], name), getattr(whole[council], name)), name
        assert not found[council].totals
        assert (found[council].amount != study.outcomes["baseline"][council].amount).any()


def test_where_accounts_without_claims_have_something_all_are_worked_out(service: Partnership, few: dict[str, Any]) -> None:
    study = Study([service.rules.council(STEVENAGE)], YEAR, few)
    assert not study.touched(STEVENAGE)[0].all()
    option = study.add(Option("more", "More"))[STEVENAGE]
    place = int(np.flatnonzero(~study.touched(STEVENAGE)[0])[0])
    option.amount[place] = 1
    held, part = study.touched(STEVENAGE)
    assert held.all()
    assert part is study.parts[STEVENAGE]


def test_a_change_that_options_share_is_worked_out_once(service: Partnership, few: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    study = Study([service.rules.council(STEVENAGE)], YEAR, few)
    asked: list[tuple[Any, ...]] = []
    amounts = study.amounts
    monkeypatch.setattr(study, "amounts", lambda option, most: asked.append(option.scenarios) or amounts(option, most))
    source = opened(service.rules, CAPITAL)
    share = opened(service.rules, {**CAPITAL, "title": "A share", "set": {"share_working_age": {"value": "70%"}}})
    singles = Singles(study)
    first, notes = singles.of(option_of(study.baseline, [source]))
    assert [single.change for single in first] == [OWN_LIMIT, LIMIT]
    assert notes == []
    assert len(asked) == 4
    second, _ = singles.of(option_of(study.baseline, [source, share]))
    assert [single.change for single in second] == [OWN_LIMIT, LIMIT, SHARE]
    assert len(asked) == len(set(asked)) == 8, "the first two alone were known"
    base = study.outcomes["baseline"][STEVENAGE].amount
    for single in (*first, *second):
        assert np.array_equal(single.alone[STEVENAGE].amount, study.tried(single.alone[STEVENAGE].option)[STEVENAGE].amount)
        assert np.array_equal(single.without[STEVENAGE].amount, study.tried(single.without[STEVENAGE].option)[STEVENAGE].amount)
    assert (second[2].alone[STEVENAGE].amount < base).any()
    assert second[0].alone is first[0].alone


@pytest.mark.parametrize(
    ("doubtful", "said"), [(False, "what does not stand without the other changes"), (True, "too many accounts would")]
)
def test_why_a_change_has_no_cost_of_its_own(
    service: Partnership, small: Study, monkeypatch: pytest.MonkeyPatch, *, doubtful: bool, said: str
) -> None:
    def unsettled(option: Option, most: int) -> Any:
        raise UnsettledError(doubtful=doubtful)

    monkeypatch.setattr(small, "amounts", unsettled)
    found, notes = Singles(small).of(option_of(small.baseline, [opened(service.rules, CAPITAL)]))
    assert found == []
    assert len(notes) == 1
    assert said in notes[0]
    assert notes[0].endswith(f": {OWN_LIMIT}; {LIMIT}.")


def test_changes_that_stand_only_together_are_one_change(service: Partnership, small: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    amounts = small.amounts

    def bound(option: Option, most: int) -> Any:
        said = {name for source in option.scenarios for name in file_of(source).set}  # type: ignore[arg-type]
        if len(said & CAPITAL["set"].keys()) == 1:
            raise UnsettledError(doubtful=False)
        return amounts(option, most)

    monkeypatch.setattr(small, "amounts", bound)
    share = opened(service.rules, {**CAPITAL, "title": "A share", "set": {"share_working_age": {"value": "70%"}}})
    found, notes = Singles(small).of(option_of(small.baseline, [share, opened(service.rules, CAPITAL)]))
    assert notes == []
    assert [single.change for single in found] == [SHARE, f"Together: {OWN_LIMIT}; {LIMIT}"]
    alone, together = found
    for council, outcome in alone.alone.items():
        assert np.array_equal(outcome.amount, together.without[council].amount)
        assert np.array_equal(alone.without[council].amount, together.alone[council].amount)
        assert (outcome.amount != together.alone[council].amount).any()


# --------------------------------------------------------------------------------------------------------- the options


def test_options_are_told_apart_by_name(service: Partnership, few: dict[str, Any]) -> None:
    study = Study([service.rules.council(STEVENAGE)], YEAR, few)
    option = option_of(study.baseline, [opened(service.rules, CAPITAL)])
    study.add(option)
    with pytest.raises(UsageError, match="two options are called A lower limit of capital"):
        study.add(option)
    assert repr(study) == f"Study(2026-27: stevenage; {len(study.accounts[STEVENAGE])} accounts; baseline, A lower limit of capital)"


def test_an_option_that_changes_nobody_says_so(service: Partnership, few: dict[str, Any]) -> None:
    study = Study([service.rules.council(STEVENAGE)], YEAR, few)
    (limit,) = study.program(study.baseline, STEVENAGE).parameters["capital_limit_working_age"].by_period
    same = {**CAPITAL, "set": {"capital_limit_working_age": {"value": f"£{limit}"}}}
    study.add(option_of(study.baseline, [opened(service.rules, {**same, "title": "As it is"})]))
    study.add(option_of(study.baseline, [opened(service.rules, {**same, "title": "As it is, too"})]))
    assert study.warnings["As it is"] == ("No account of this caseload changes under it.",)
    assert "Every account comes to the same as under As it is." in study.warnings["As it is, too"]
    assert "As it is: No account of this caseload changes under it." in comparison(study).publishable().notes


def test_a_fact_that_nobody_gave_is_told(service: Partnership, few: dict[str, Any]) -> None:
    """Facts that the baseline's rules of the same name ask for as well are not: their lack changes nothing between the two."""
    source = opened(service.rules, DOCS / "examples" / "transitional_protection.yaml")
    claims = few["claims"]
    claimed = claims["account"].to_pylist()
    first = next(account for account in few["accounts"]["account"].to_pylist() if account in claimed)
    one = ["10.00" if account == first else None for account in claimed]
    given = claims.append_column("reduction_before", pa.array(one, pa.string()))

    def lacking(tables: dict[str, Any], *, every: bool = False) -> tuple[str, ...]:
        option = option_of(Option("baseline", "No change"), [source])
        return Study([service.rules.council(STEVENAGE)], YEAR, tables, options=[option]).lacking(option, every=every)

    (told,) = lacking(few)
    assert "none of 22 rows of the table claims gives: Reduction of the last week" in told
    assert "(column reduction_before). Fill the column" in told and told.endswith("nobody has it in: Reduction for a day.")
    assert lacking({**few, "claims": given}) == ()
    (some,) = lacking({**few, "claims": given}, every=True)
    assert "fewer than 5 of" in some and "Fill" not in some


def test_what_the_baseline_lets_go_on_is_not_said_twice(service: Partnership, rules: Rules) -> None:
    """The figures of a year without its own go on in the baseline and in the option, put up once."""
    next_year = {
        "title": "Next year",
        "from": "2027-04-01",
        "source": {"document": "made up"},
        "carry": {"as_on": "2027-03-31", "because": "nothing is published"},
        "uprate": [{"names": ["band_d_amount"], "by": "10%"}],
        "set": {"capital_limit_working_age": {"value": "£3000"}},
    }
    source = opened(rules, next_year)
    baseline = baseline_of(rules, [], [source])
    option = option_of(baseline, [source])
    assert baseline.hypothetical
    council = rules.council(STEVENAGE)
    base, found = (council.program("2027-28", each.scenarios) for each in (baseline, option))
    now = council.program("2026-27").tables["band_d_amount"].by_period[0].rows["billing_authority",][1][0]
    for program in (base, found):
        assert program.tables["band_d_amount"].by_period[0].rows["billing_authority",][1][0] == Fraction(now) * Fraction(11, 10)
    assert base.parameters["capital_limit_working_age"].by_period == (16_000,)
    assert found.parameters["capital_limit_working_age"].by_period == (3_000,)
    plain = replace(baseline, scenarios=())
    assert option_of(plain, [source]).scenarios == (source,)


def test_a_caseload_without_a_council_is_refused(service: Partnership, few: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match="the caseload has no account of east_hertfordshire"):
        Study(service.councils(YEAR), YEAR, few)


def test_what_is_compared_must_be_there(service: Partnership, few: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match="no such comparison: housing_benefit") as told:
        Study([service.rules.council(STEVENAGE)], YEAR, few, impact="housing_benefit")
    assert told.value.hint == "one of council_tax_reduction"
