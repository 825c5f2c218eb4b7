"""Letters about Housing Benefit to the claimant, to the landlord and about an overpayment, read word by word."""

from __future__ import annotations

import os
import re
from itertools import pairwise
from pathlib import Path

import pytest

from explain.test_letters import GRADE, Seen, fixed, grade
from rbcalc.errors import DataError, UsageError
from rbcalc.letters.files import rendered
from rbcalc.letters.letter import Letter, LetterCases, LetterWriter, letter_file
from rbcalc.rulebook.cases import Example
from rbcalc.rulebook.rules import Rules

HERE = Path(__file__).parent
CLAIMANT, LANDLORD, OVERPAYMENT = "housing_benefit", "housing_benefit_landlord", "housing_benefit_overpayment"
OF_LANDLORD = "housing_benefit_landlord_overpayment"
REASONS, AGAIN = "housing_benefit_reasons", "housing_benefit_looked_again"
EARLIER, TOO_LATE = "housing_benefit_earlier_days", "housing_benefit_asked_too_late"
ANOTHER, PENALTY = "housing_benefit_non_dependant_income", "housing_benefit_landlord_penalty"
NAMES = ["pensioner", "spare bedroom", "local housing allowance", "nil", "income too high", "new amounts", "benefit cap"]
LETTERS = [
    *((CLAIMANT, name) for name in NAMES),
    (LANDLORD, "local housing allowance"),
    (LANDLORD, "new amounts"),
    (OVERPAYMENT, "overpayment"),
    (OF_LANDLORD, "overpayment"),
    (REASONS, "income too high"),
    (AGAIN, "kept"),
    (AGAIN, "more than before"),
    (AGAIN, "nothing before"),
    (AGAIN, "overpayment"),
    (AGAIN, "pensioner"),
    (EARLIER, "pensioner"),
    (EARLIER, "income too high"),
    (TOO_LATE, "pensioner"),
    (TOO_LATE, "income too high"),
    (ANOTHER, "pensioner"),
    (ANOTHER, "income too high"),
    (PENALTY, "overpayment"),
]
NONE = {"nil", "income too high"}


@pytest.fixture(scope="module")
def examples(rules: Rules) -> dict[str, dict[str, Example]]:
    every = (CLAIMANT, LANDLORD, OVERPAYMENT, OF_LANDLORD, REASONS, AGAIN, EARLIER, TOO_LATE, ANOTHER, PENALTY)
    found = {which: LetterCases(rules, letter_file(rules, which, "housing_benefit")) for which in every}
    return {which: {one.name: one for one in cases.read(HERE / "housing_benefit.cases.yaml")} for which, cases in found.items()}


@pytest.fixture(scope="module")
def letters(rules: Rules, examples: dict[str, dict[str, Example]]) -> dict[tuple[str, str], Letter]:
    return {(which, name): written(rules, which, examples[which][name]) for which, name in LETTERS}


def written(rules: Rules, which: str, example: Example) -> Letter:
    writer = LetterWriter(rules, letter_file(rules, which, "housing_benefit"))
    council = rules.council(example.program.name).title
    return writer.letter(example.program, example.records, council=council, reference=f"made-up claim, {example.name}")


def texts(letter: Letter) -> str:
    blocks = [*letter.opening, *letter.working, *(block for part in letter.parts for block in part.blocks)]
    return " ".join(block.text + " ".join(block.items) for block in blocks)


@pytest.mark.parametrize("place", LETTERS, ids=" ".join)
def test_a_letter_reads_as_it_was_approved(place: tuple[str, str], letters: dict[tuple[str, str], Letter]) -> None:
    """The texts were read aloud and approved; UPDATE_GOLDEN=1 writes them anew, to be read again."""
    text = rendered(letters[place], "markdown", date="1 April 2026")
    golden = HERE / "golden" / f"letter_{'_'.join(place).replace(' ', '_')}.md"
    if os.environ.get("UPDATE_GOLDEN"):
        golden.write_text(text, encoding="utf-8")
    assert text == golden.read_text(encoding="utf-8")


@pytest.mark.parametrize("place", LETTERS, ids=" ".join)
def test_a_letter_says_what_the_reader_may_do(place: tuple[str, str], letters: dict[tuple[str, str], Letter]) -> None:
    """SI 2006/213 Sch. 9 paras. 2 and 3: the statement of reasons, looking again and the appeal, how and by when."""
    text = texts(letters[place])
    wanted = ["written statement of our reasons", "within 14 days", "within 1 month of the date", "after 13 months", "First-tier Tribunal"]
    if place[0] == REASONS:  # this is the statement of reasons, and the months run from the letter before it
        wanted = [
            "the date of the letter about our decision",
            "you have 14 days more",
            "on the date of this letter if that is later",
            "after 13 months",
            "First-tier Tribunal",
        ]
    elif place[0] == TOO_LATE:  # the months are over, but for the appeal
        wanted = [
            "within 13 months of the date",
            "again to take your letter late",
            "First-tier Tribunal",
            "1 month for the appeal",
            "12 months late",
        ]
    elif place == (AGAIN, "kept"):  # what was kept cannot be looked at again
        wanted.remove("after 13 months")
        assert "look at the new one again" not in text
    assert [words for words in wanted if words not in text] == []


@pytest.mark.parametrize("name", NAMES)
def test_a_claimant_is_told_what_the_law_asks_for(name: str, letters: dict[tuple[str, str], Letter]) -> None:
    """SI 2006/213 Sch. 9 paras. 9, 10 and 14: the rent, the award and the duty to report, the duty only where something is awarded."""
    letter = letters[CLAIMANT, name]
    text = texts(letter)
    assert letter.columns[:2] == ("Rent that counts for a week", "Housing Benefit for a week")
    with_award = ["You must tell us about any change", "taken to court", "Discretionary Housing Payment", "on which day"]
    assert all((words in text) == (name not in NONE) for words in with_award)
    assert letter.awarded == (name not in NONE)
    told = {step.title for stretch in letter.stretches for step in stretch.steps}
    if name in ("pensioner", "income too high", "new amounts"):
        assert {"Your income that counts", "Your income above the applicable amount"} <= told
        assert any(title.endswith("called the applicable amount") for title in told)


def test_the_amounts_of_working_age_are_told(letters: dict[tuple[str, str], Letter]) -> None:
    steps = letters[CLAIMANT, "income too high"].stretches[0].steps
    assert any(
        step.title == "What the rules for working age give for your household" and "Personal allowance £90.50 a week" in step.because
        for step in steps
    )


def test_other_adults_and_fuel_are_explained(letters: dict[tuple[str, str], Letter]) -> None:
    parts = {part.title: part for part in letters[CLAIMANT, "income too high"].parts}
    _, items = parts["Other adults in your home"].blocks
    assert [item.split(",")[0] for item in items.items] == ["in paid work", "not in paid work"]
    assert "show us what the fuel costs" in parts["Fuel in your rent"].blocks[0].text
    pensioner = {part.title: part for part in letters[CLAIMANT, "pensioner"].parts}
    assert pensioner["Other adults in your home"].blocks[1].items == ("in paid work, with £300.00 a week before tax",)
    assert "Fuel in your rent" not in pensioner


def test_a_nil_letter_says_why_and_by_how_much(letters: dict[tuple[str, str], Letter]) -> None:
    capital = letters[CLAIMANT, "nil"].stretches[0]
    assert capital.refused == "Savings and other capital of £16,001.00 are above the limit."
    assert capital.needed == "Savings and other capital would have to be at most £16,000.00. It is £16,001.00, £1.00 too much."
    income = letters[CLAIMANT, "income too high"].stretches[-1]
    assert income.refused == "Less than £0.50 a week would be due, so nothing is paid."
    assert income.needed.endswith("would have to be at most £54.73 a week. It is £71.95 a week, £17.22 a week too much.")


def test_days_before_the_year_are_not_told(letters: dict[tuple[str, str], Letter]) -> None:
    """A year is worked out from the Monday on or before 1 April, and last year's account has those days."""
    stretches = letters[CLAIMANT, "new amounts"].stretches
    assert [stretch.first for stretch in stretches] == ["1 April 2025", "7 April 2025", "22 September 2025"]
    assert stretches[0].cells[-1] == "£86.25"  # six sevenths of £100.63


@pytest.mark.parametrize("name", ["local housing allowance", "new amounts", "pensioner", "benefit cap", "overpayment"])
def test_a_landlord_learns_nothing_of_the_tenant(name: str, rules: Rules, examples: dict[str, dict[str, Example]]) -> None:
    letter = written(rules, LANDLORD, examples[LANDLORD][name])
    assert all(not stretch.steps and not stretch.refused and not stretch.needed for stretch in letter.stretches)
    assert letter.columns == ("Housing Benefit for a week",) and not letter.totals
    told = {cell for stretch in letter.stretches for cell in stretch.cells}
    for text in (rendered(letter), rendered(letter, "markdown")):
        assert set(re.findall(r"£[\d,.]*\d(?: a week)?", text)) == told
        private = (
            "income",
            "pension",
            "saving",
            "capital",
            "child",
            "partner",
            "allowance",
            "bedroom",
            "disab",
            "benefit cap",
            "paid work",
        )
        assert [word for word in private if word in text.lower().replace(name, "")] == []
    assert "has still paid you their rent" in texts(letter)  # paragraph 11(c)


@pytest.mark.parametrize("name", sorted(NONE))
def test_a_landlord_has_no_letter_without_an_award(name: str, rules: Rules, examples: dict[str, dict[str, Example]]) -> None:
    with pytest.raises(UsageError, match="no decision"):
        written(rules, LANDLORD, examples[LANDLORD][name])


def test_an_overpayment_is_told_as_the_law_asks(letters: dict[tuple[str, str], Letter]) -> None:
    """SI 2006/213 Sch. 9 para. 15(1): that it is recoverable, why, how much, how worked out, for which weeks, and what is taken off."""
    letter = letters[OVERPAYMENT, "overpayment"]
    text = texts(letter)
    assert letter.totals == (("Housing Benefit that you must pay back", "£464.51"),)
    assert [(stretch.first, stretch.last, stretch.cells) for stretch in letter.stretches] == [
        ("1 April 2025", "6 April 2025", ("£116.88 a week", "£100.63 a week", "£16.25 a week", "£13.93")),
        ("7 April 2025", "15 June 2025", ("£120.00 a week", "£106.61 a week", "£13.39 a week", "£133.90")),
        ("16 June 2025", "7 September 2025", ("£120.00 a week", "£93.61 a week", "£26.39 a week", "£316.68")),
    ]
    wanted = ["recoverable overpayment", "You did not tell us about a change", "We take £13.95 a week off", "The tribunal cannot decide"]
    assert [words for words in wanted if words not in text] == []


def test_an_answer_says_whether_the_decision_is_kept(letters: dict[tuple[str, str], Letter]) -> None:
    """SI 2006/213 Sch. 9 paras. 4, 5 and 8: kept or changed, why not changed, what is changed; what was paid is what was decided before."""
    said = {
        "kept": ["have not changed it", "came to the same"],
        "more than before": ["have changed it", "you got from £93.61 a week to £106.61 a week", "We owe you £156.00"],
        "nothing before": ["have changed it", "Before, you got nothing", "We owe you £852.88", "comes with this one"],
        "overpayment": ["have changed it", "you got from £93.61 a week to £120.00 a week", "We paid you too much for some days"],
        "pensioner": ["puts here whether it changed the decision", "or why the decision stands"],
    }
    for name, wanted in said.items():
        text = texts(letters[AGAIN, name])
        assert [words for words in wanted if words not in text] == []
        assert ("have changed it" in text) == (name not in ("kept", "pensioner"))
        assert ("We owe you" in text) == (name in ("more than before", "nothing before"))
        assert all(stretch.cells[1] for stretch in letters[AGAIN, name].stretches)
    titles = [part.title for part in letters[AGAIN, "kept"].parts]
    assert "Why we did not change it" in titles and "What we changed" not in titles


def test_reasons_tell_more_than_the_notice(letters: dict[tuple[str, str], Letter]) -> None:
    """SI 2006/213 reg. 90(2): the steps of the notice, and with them which rules apply and what was found of income and capital."""
    notice, reasons = letters[CLAIMANT, "income too high"], letters[REASONS, "income too high"]
    assert [stretch.cells for stretch in reasons.stretches] == [stretch.cells for stretch in notice.stretches]
    told, more = ({step.title for step in letter.stretches[0].steps} for letter in (notice, reasons))
    assert told <= more
    assert {"Which rules apply to you", "Your earnings after tax and the like", "Your savings and other capital"} <= more - told
    assert "It is not a new decision" in texts(reasons) and "Other adults in your home" in [part.title for part in reasons.parts]


def test_a_landlord_is_told_of_recovery_and_nothing_of_the_tenant(letters: dict[tuple[str, str], Letter]) -> None:
    """SI 2006/213 regs. 101 and 107, Sch. 9 para. 15: the same weeks and amounts, the tenants named by the council, no step."""
    letter = letters[OF_LANDLORD, "overpayment"]
    assert [stretch.cells for stretch in letter.stretches] == [stretch.cells for stretch in letters[OVERPAYMENT, "overpayment"].stretches]
    assert not any(stretch.steps for stretch in letter.stretches)
    text = texts(letter)
    wanted = ["the tenant's name", "recoverable overpayment", "names that tenant here", "still paid you their rent", "agreed to pay"]
    assert [words for words in wanted if words not in text] == []
    page = rendered(letter, "markdown").lower()
    private = ("income", "pension", "saving", "capital", "child", "partner", "bedroom", "disab", "paid work")
    assert [word for word in private if word in page] == []


def test_why_there_is_nothing_for_earlier_days_is_said_by_age(letters: dict[tuple[str, str], Letter]) -> None:
    """SI 2006/213 reg. 83(12) and (12A): a good reason all the time, a month at most; SI 2006/214 reg. 64(1) and (1A): three months."""
    young, old = texts(letters[EARLIER, "income too high"]), texts(letters[EARLIER, "pensioner"])
    reason = ["good reason for not asking sooner", "all the time", "more than 1 month before the day on which you asked", "the reader gave"]
    assert [words for words in reason if words not in young] == [] and not any(words in old for words in reason)
    assert "more than 3 months before your claim" in old and "Pension Credit" in old and " 3 months" not in young
    assert "how much you get, and for which days" in old and "for the days since then either" in young


def test_more_months_went_before_a_claim_until_2016(rules: Rules, examples: dict[str, dict[str, Example]]) -> None:
    """SI 2015/1857 reg. 3: six months before 1 April 2016."""
    text = texts(written(rules, EARLIER, examples[EARLIER]["claimed in 2015"]))
    assert "more than 6 months before the day on which you asked" in text


def test_who_asks_too_late_is_told_what_the_law_asks_for(letters: dict[tuple[str, str], Letter]) -> None:
    """SI 2001/1002 reg. 5(3) to (7): thirteen months, the special reason, the merit, what is reasonable, and no second request."""
    for name in ("pensioner", "income too high"):
        letter = letters[TOO_LATE, name]
        why = next(part for part in letter.parts if part.title == "Why we could not take your letter")
        assert len(why.blocks[1].items) == 4 and "the stronger the reason must be" in why.blocks[1].items[-1]
        assert not any(stretch.steps or stretch.refused for stretch in letter.stretches)
        assert "written statement of our reasons" not in texts(letter) and "an office made a mistake" in texts(letter)


def test_the_income_of_another_is_told_with_the_reasons(letters: dict[tuple[str, str], Letter]) -> None:
    """SI 2006/213 Sch. 9 para. 13: the fact that it was so decided, and why."""
    for name in ("pensioner", "income too high"):
        text = texts(letters[ANOTHER, name])
        wanted = [
            "counted their income and savings as if they were yours",
            "left out your own",
            "more income and savings than you",
            "its reasons",
        ]
        assert [words for words in wanted if words not in text] == []
        assert ("You do not get Housing Benefit" in text) == (name in NONE)


@pytest.mark.parametrize("name", ["spare bedroom", "benefit cap"])
def test_beside_a_benefit_that_decides_by_itself_nobody_elses_income_counts(
    name: str, rules: Rules, examples: dict[str, dict[str, Example]]
) -> None:
    """SI 2006/213 reg. 26(1) excepts those on such a benefit."""
    with pytest.raises(DataError, match="no such decision to write about"):
        written(rules, ANOTHER, examples[ANOTHER][name])


def test_a_tenant_does_not_owe_what_is_taken_from_a_punished_landlord(letters: dict[tuple[str, str], Letter]) -> None:
    """SI 2006/213 reg. 107(3): which overpayment it is, and that the landlord has no right to it against the tenant."""
    letter = letters[PENALTY, "overpayment"]
    assert letter.totals == (("Housing Benefit that your landlord must pay back", "£464.51"),)
    assert [stretch.cells for stretch in letter.stretches] == [stretch.cells for stretch in letters[OVERPAYMENT, "overpayment"].stretches]
    wanted = [
        "guilty of an offence over this money, or agreed to pay a penalty",
        "rent that you have paid",
        "no right to ask you",
        "landlord too",
    ]
    assert [words for words in wanted if words not in texts(letter)] == []


@pytest.mark.parametrize("which", [OVERPAYMENT, OF_LANDLORD, PENALTY])
def test_what_may_not_be_recovered_brings_no_letter(which: str, rules: Rules, examples: dict[str, dict[str, Example]]) -> None:
    with pytest.raises(UsageError, match="no decision"):
        written(rules, which, examples[which]["council's mistake"])


def test_without_an_overpayment_there_is_no_such_letter(rules: Rules, examples: dict[str, dict[str, Example]]) -> None:
    with pytest.raises(UsageError, match="no decision"):
        written(rules, OVERPAYMENT, examples[OVERPAYMENT]["pensioner"])


@pytest.mark.parametrize("place", LETTERS, ids=" ".join)
def test_a_letter_is_read_with_ease(place: tuple[str, str], letters: dict[tuple[str, str], Letter]) -> None:
    assert grade(fixed(letters[place])) <= GRADE


@pytest.mark.parametrize(
    "place", [(CLAIMANT, "new amounts"), (LANDLORD, "new amounts"), (OVERPAYMENT, "overpayment"), (AGAIN, "kept")], ids=" ".join
)
def test_the_page_can_be_read_by_everybody(place: tuple[str, str], letters: dict[tuple[str, str], Letter]) -> None:
    page = rendered(letters[place])
    seen = Seen()
    seen.feed(page)
    tags = [tag for tag, _ in seen.found]
    assert tags.count("h1") == 1 and tags.count("main") == 1 and tags.count("table") == tags.count("caption")
    levels = [int(tag[1]) for tag in tags if re.fullmatch(r"h[1-6]", tag)]
    assert levels[0] == 1 and all(after <= before + 1 for before, after in pairwise(levels))
    assert all(attrs.get("scope") in ("col", "row") for tag, attrs in seen.found if tag == "th")
    assert "http:" not in page and "https:" not in page
