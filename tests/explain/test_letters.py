"""Notices of decisions: five read word by word, what each must hold, how they read, and letters for a whole caseload."""

from __future__ import annotations

import os
import re
from decimal import Decimal
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import pytest

from rbcalc.errors import OutputError, UsageError
from rbcalc.letters.files import rendered, template_for, write_letters
from rbcalc.letters.letter import Letter, LetterCases, LetterWriter, letter_file
from rbcalc.rulebook.cases import Example
from rbcalc.rulebook.rules import Rules

HERE = Path(__file__).parent
NAMES = ["pensioner", "grid", "nil", "change", "second adult"]
GRADE = 9


@pytest.fixture(scope="module")
def examples(rules: Rules) -> dict[str, Example]:
    return {example.name: example for example in LetterCases(rules, letter_file(rules)).read(HERE / "letters.cases.yaml")}


@pytest.fixture(scope="module")
def letters(rules: Rules, examples: dict[str, Example]) -> dict[str, Letter]:
    writer = LetterWriter(rules, letter_file(rules))
    return {
        name: writer.letter(
            example.program, example.records, council=rules.council(example.program.name).title, reference=f"made-up account, {name}"
        )
        for name, example in examples.items()
    }


@pytest.mark.parametrize("name", NAMES)
def test_a_letter_reads_as_it_was_approved(name: str, letters: dict[str, Letter]) -> None:
    """The texts were read aloud and approved; UPDATE_GOLDEN=1 writes them anew, to be read again."""
    text = rendered(letters[name], "markdown", date="1 April 2026")
    golden = HERE / "golden" / f"letter_{name.replace(' ', '_')}.md"
    if os.environ.get("UPDATE_GOLDEN"):
        golden.write_text(text, encoding="utf-8")
    assert text == golden.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", NAMES)
def test_a_letter_holds_what_the_law_asks_for(name: str, letters: dict[str, Letter]) -> None:
    """SI 2012/2885 Sch. 8 para. 12: the duty and its consequences only with an award; the appeal in any case."""
    text = " ".join(block.text + " ".join(block.items) for part in letters[name].parts for block in part.blocks)
    always = [
        "within 2 months of our answer",
        "within 4 months",
        "Valuation Tribunal",
        "within 1 month of the date",
        "within 14 days",
        "write to us",
    ]
    with_award = ["within 21 days", "penalty", "taken to court", "off your Council Tax bill"]
    assert [words for words in always if words.lower() not in text.lower()] == []
    assert all((words in text) == (name != "nil") for words in with_award)
    assert letters[name].adopted and letters[name].totals and letters[name].columns


def test_a_nil_letter_says_why_and_by_how_much(letters: dict[str, Letter]) -> None:
    stretch = letters["nil"].stretches[0]
    assert stretch.refused == "Savings and other capital of £16,001.00 are above the limit of £16,000.00."
    assert stretch.needed == "That is £1.00 too much."
    assert not letters["nil"].awarded


def test_steps_that_stay_the_same_are_told_once(letters: dict[str, Letter]) -> None:
    first, second = letters["change"].stretches
    assert not first.as_before and second.as_before
    assert not {(step.title, step.amount) for step in first.steps} & {(step.title, step.amount) for step in second.steps}


def test_the_amounts_of_a_week_add_up_as_they_are_shown(letters: dict[str, Letter]) -> None:
    """What is taken off the Council Tax for a week, in pennies as they are shown, leaves the reduction for a week."""
    for name in ("pensioner", "change"):
        told: dict[str, Decimal] = {}
        for stretch in letters[name].stretches:
            told |= {
                step.title: Decimal(step.amount.removeprefix("£").removesuffix(" a week"))
                for step in stretch.steps
                if "week" in step.amount
            }
            taken = sum(amount for title, amount in told.items() if title.startswith("Taken off"))
            assert told["Your Council Tax for a week"] - taken == told["Your reduction for a week"]
            assert stretch.cells[0] == f"£{told['Your reduction for a week']} a week"


def test_a_letter_speaks_to_its_reader(letters: dict[str, Letter]) -> None:
    """No share that cannot be pictured, nothing for a day where a week is told, and "you", not "the applicant"."""
    for letter in letters.values():
        said = [f"{step.title}. {step.because}" for stretch in letter.stretches for step in stretch.steps]
        assert not [line for line in said if re.search(r"applicant|claimant|\d/\d+ %|classes A and B", line)]
        amounts = [step.amount for stretch in letter.stretches for step in stretch.steps]
        assert letter is letters["grid"] or not [amount for amount in amounts if amount.endswith("a day")]


def syllables(word: str) -> int:
    groups = len(re.findall(r"[aeiouy]+", word))
    silent = word.endswith("e") and not word.endswith("le") and groups > 1
    return max(groups - silent, 1)


def grade(text: str) -> float:
    """The Flesch-Kincaid grade: years of school that a text asks for."""
    sentences = [part for part in re.split(r"[.!?:\n]+(?:\s|$)", text) if re.search(r"[a-z]", part)]
    words = re.findall(r"[a-z]+", text.lower())
    return 0.39 * len(words) / len(sentences) + 11.8 * sum(map(syllables, words)) / len(words) - 15.59


def fixed(letter: Letter) -> str:
    """The text that does not come from the working: no tables, no marks and no list of laws."""
    text = rendered(letter, "markdown").partition("## The law we used")[0].partition("## What we decided")[2]
    lines = [line.lstrip("-#* ") for line in text.splitlines() if not line.startswith(("|", "### ", "**Why"))]
    return "\n".join(line if line.endswith((".", ":")) else f"{line}." for line in lines if line)


@pytest.mark.parametrize("name", NAMES)
def test_a_letter_is_read_with_ease(name: str, letters: dict[str, Letter]) -> None:
    assert grade(fixed(letters[name])) <= GRADE


def test_the_measure_tells_hard_from_easy() -> None:
    assert grade("The cat sat on the mat. It was warm.") < 2
    assert grade("Notification of entitlement determinations necessitates comprehensive consideration of circumstances.") > 20


class Seen(HTMLParser):
    """The elements of a page, in order."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def test_the_page_can_be_read_by_everybody(letters: dict[str, Letter]) -> None:
    page = rendered(letters["change"])
    seen = Seen()
    seen.feed(page)
    tags = [tag for tag, _ in seen.found]
    assert dict(seen.found)["html"]["lang"] == "en-GB"
    assert tags.count("h1") == 1 and tags.count("main") == 1 and "title" in tags
    levels = [int(tag[1]) for tag in tags if re.fullmatch(r"h[1-6]", tag)]
    assert levels[0] == 1 and all(after <= before + 1 for before, after in pairwise(levels))
    assert all(attrs.get("scope") in ("col", "row") for tag, attrs in seen.found if tag == "th")
    assert tags.count("table") == tags.count("caption")
    assert not {"script", "link", "img", "iframe"} & set(tags)
    assert "http:" not in page and "https:" not in page and "@media print" in page


def luminance(colour: str) -> float:
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_colours_stand_out_from_the_page(letters: dict[str, Letter]) -> None:
    colours = set(re.findall(r"#[0-9a-f]{6}", rendered(letters["grid"]))) - {"#ffffff"}
    assert colours
    assert all(1.05 / (luminance(colour) + 0.05) >= 4.5 for colour in colours)


def test_facts_cannot_write_into_the_page(rules: Rules, examples: dict[str, Example]) -> None:
    example = examples["nil"]
    letter = LetterWriter(rules, letter_file(rules)).letter(example.program, example.records, reference="<script>x</script> *a* | b")
    assert "<script>" not in rendered(letter)
    assert r"\*a\* \| b" in rendered(letter, "markdown")


def test_a_template_of_ones_own(letters: dict[str, Letter], tmp_path: Path, rules: Rules) -> None:
    own = tmp_path / "own.html.j2"
    own.write_text("<p>{{ letter.council }}, {{ date }}</p>", encoding="utf-8")
    assert rendered(letters["grid"], template=own, date="1 May 2026") == "<p>Hartlepool Borough Council, 1 May 2026</p>"
    wrong = tmp_path / "wrong.html.j2"
    wrong.write_text("{{ letter.nothing }}", encoding="utf-8")
    with pytest.raises(UsageError, match="nothing"):
        rendered(letters["grid"], template=wrong)
    unsafe = tmp_path / "unsafe.html.j2"
    unsafe.write_text("{{ letter.__class__.__mro__ }}", encoding="utf-8")
    with pytest.raises(UsageError, match="unsafe"):
        rendered(letters["grid"], template=unsafe)
    with pytest.raises(UsageError, match="no such file"):
        template_for(rules, "hartlepool", "html", tmp_path / "none.j2")
    assert template_for(rules, "hartlepool", "html") is None


def test_a_batch_has_an_index_and_no_names_in_file_names(rules: Rules, examples: dict[str, Example], tmp_path: Path) -> None:
    good, bad = examples["pensioner"], examples["grid"]
    broken = {**bad.records, "dwellings": []}
    accounts = [("Jo Bloggs", good.program, good.records, "A Council"), ("A2", bad.program, broken, "Another")]
    done = write_letters(LetterWriter(rules, letter_file(rules)), accounts, tmp_path / "out", "html", {})
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["000001.html", "index.html"]
    assert [one.file for one in done] == ["000001.html", ""]
    index = (tmp_path / "out" / "index.html").read_text(encoding="utf-8")
    assert "Jo Bloggs" in index and "No letter" in index and "cannot be worked out" in index
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(OutputError):
        write_letters(LetterWriter(rules, letter_file(rules)), accounts, tmp_path / "file", "html", {})


def test_a_letter_that_is_not_there_is_said_so(rules: Rules) -> None:
    with pytest.raises(UsageError, match="no letter is called decison"):
        letter_file(rules, "decison")
