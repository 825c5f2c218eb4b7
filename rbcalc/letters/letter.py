"""What a notice of a decision says: who decided, what, how it was worked out, and what the reader may do about it.

All text about a scheme comes from the rules: an account's own working, and a letter file under `england/letters`, whose
rules say what heads the notice (totals), what stands in its table (rules of a derived entity) and its paragraphs.  Rules of
the files below that folder which it extends come after its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from rbcalc._years import FinancialYear, shown
from rbcalc.errors import UsageError
from rbcalc.explaining.explain import worked_out
from rbcalc.explaining.model import Explanation, Line, Outcome
from rbcalc.explaining.strands import Records, chosen, named, strands, which
from rbcalc.explaining.teller import Teller
from rbcalc.explaining.words import nothing
from rbcalc.rulebook.cases import CaseReader
from rbcalc.rulebook.rules import Rules
from rbcalc_kernels.exact.rows import Row
from rbcalc_kernels.language.documents import CasesFile, ExampleDoc, RuleFile, Text
from rbcalc_kernels.program.graph import Aggregate, Op, Program, Ref, Rule
from rbcalc_kernels.program.library import RuleSource
from rbcalc_kernels.source import Findings, suggest

FOLDER: Final = Path("england", "letters")
_ITEM = "- "
_ADDRESS = re.compile(r"(?<=^SI )(.*?),? https?://[^\s,]+")  # of an instrument, which its number finds
OPENING: Final = "What we decided"
WORKING: Final = "How we worked it out"
"""Sections that every notice has.  What a letter file says under these titles stands in the place of what they hold otherwise."""


@dataclass(frozen=True, slots=True)
class Step:
    """A step of the working as the letter tells it."""

    title: str
    amount: str
    because: str
    provisional: bool = False


@dataclass(frozen=True, slots=True)
class Stretch:
    """Days for which one decision holds: the cells of the table, why nothing is due, and how it was worked out.

    `as_before` says that steps which are those of the days before are not told again.
    """

    first: str
    last: str
    cells: tuple[str, ...]
    refused: str
    needed: str
    steps: tuple[Step, ...]
    as_before: bool = False


@dataclass(frozen=True, slots=True)
class Block:
    """A paragraph, or a list when it has items."""

    text: str = ""
    items: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Part:
    """A section of the letter under its own heading."""

    title: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class Letter:
    """A notice of a decision, ready for a template.

    `opening` stands in the place of the sentence above the table, `working` in that of the steps: then nothing of how it was worked out
    is in the letter, so that it can go to somebody who may not know it.
    """

    title: str
    council: str
    year: str
    reference: str
    totals: tuple[tuple[str, str], ...]
    columns: tuple[str, ...]
    stretches: tuple[Stretch, ...]
    parts: tuple[Part, ...]
    sources: tuple[str, ...]
    provisional: tuple[str, ...]
    adopted: tuple[str, ...]
    hypothetical: bool
    contact: tuple[str, ...] = field(default=())
    opening: tuple[Block, ...] = field(default=())
    working: tuple[Block, ...] = field(default=())

    @property
    def awarded(self) -> bool:
        """Whether anything is due on any day."""
        return any(not stretch.refused for stretch in self.stretches)


def letter_file(rules: Rules, name: str | None = None, subject: str = "") -> Path:
    """The letter file of that name; without one, the only one about the subject, or the one named after it.  Raises UsageError."""
    about = rules.subjects.named(subject or rules.subject)
    paths = sorted((rules.root / FOLDER).glob("*.yaml"))
    found = {path.stem: path for path in rules.subjects.files(paths, about.name)}
    known = ", ".join(found) or "none"
    if name is None and len(found) == 1:
        return next(iter(found.values()))
    if name is None and about.name in found:
        return found[about.name]
    if name not in found:
        which = f"no letter is called {name}{suggest(name, list(found))}" if name else "which letter?"
        raise UsageError("RC046", which, hint=f"the rules have these letters{f' about {about.title}' if about.title else ''}: {known}")
    return found[name]


def _sources_of(rules: Rules, path: Path) -> list[RuleSource]:
    """A letter file, and after it those below its folder that it extends: letters have these paragraphs in common."""
    beside = f"{rules.library.shown(rules.root / FOLDER)}/"
    found = [source for source in rules.library.closure([path], Findings()) if source.file.startswith(beside)]
    return [*found[-1:], *found[:-1]]


class LetterCases(CaseReader):
    """Reads case files with a letter file laid over each program."""

    def __init__(self, rules: Rules, path: Path) -> None:
        """Read cases for `rules` with the letter file at `path`."""
        super().__init__(rules)
        self.path = path

    def _link(self, source: RuleSource, file: CasesFile, case: ExampleDoc, council: str, year: FinancialYear) -> Program:
        if council and not file.set and not case.set and not file.lists:
            return self.rules.council(council).of(str(file.subject or "")).program(year, own=[self.path])
        dotted = Text(".".join(self.path.relative_to(self.rules.root).with_suffix("").parts))
        dotted.scalar = file.year.scalar
        return super()._link(source, file.model_copy(update={"extends": [*file.extends, dotted]}), case, council, year)


class LetterWriter:
    """Writes letters for the accounts of one council and year."""

    def __init__(self, rules: Rules, path: Path) -> None:
        """Write letters as the letter file at `path` says."""
        document = rules.document_at(path)
        self.rules, self.title = rules, str(document.title) if isinstance(document, RuleFile) else path.stem
        sources = _sources_of(rules, path)
        self.files = {source.file for source in sources}
        names = [str(name) for source in sources if isinstance(source.content, RuleFile) for name in source.content.rules]
        self.places = {name: place for place, name in enumerate(names)}  # what is replaced keeps its place

    def letters(self, program: Program, records: Records, *, council: str = "", reference: str = "") -> Iterator[Letter]:
        """The notices for one account: one for each of several claims upon it.  Raises as `letter`."""
        for key in strands(program, records) or [None]:
            yield self.letter(program, records, council=council, reference=reference, key=key)

    def letter(self, program: Program, records: Records, *, council: str = "", reference: str = "", key: str | None = None) -> Letter:
        """The notice for one account; where several stand beside each other, of the one with this key.

        It tells of that one alone, but for totals that are not made of its rows: those are of the whole account.  Raises DataError when
        the account cannot be worked out, UsageError when one of several must be named.
        """
        if key is None and (several := strands(program, records)):
            raise which(program, several)
        teller = whole = self._teller(program, records, reference)
        if key is not None:
            teller = self._teller(program, chosen(program, records, key), reference)
            reference = f"{reference}, {named(program, key)}"
        root = teller.root
        told = teller.told(council or program.name, reference)
        own = [rule for rule in program.rules if not rule.hidden and rule.span is not None and rule.span.file in self.files]
        own.sort(key=lambda rule: self.places.get(rule.name, len(self.places)))
        if not told.outcomes or not own:
            raise UsageError(
                "RC046", "there is no decision to write about", hint="the account has no claim in the year, or the council no scheme"
            )
        heads = [(rule, ref) for rule in own if rule.entity == root.entity and (ref := _told(program, rule)) is not None]
        columns = [(rule, ref) for rule in own if program.entities[rule.entity].derived and (ref := _told(program, rule)) is not None]
        outcomes = [outcome for outcome in told.outcomes if outcome.figures]
        texts = list(self._texts(teller, root, [rule for rule in own if rule.cases and rule.entity == root.entity]))
        parts = list(_parts([(title, text) for title, text, _ in texts]))
        opening, working = (tuple(block for part in parts if part.title == title for block in part.blocks) for title in (OPENING, WORKING))
        shown_of = [outcome if not working else replace(outcome, deciding=(), refused="", needed="") for outcome in outcomes]
        facts = self.rules.council(program.name).facts if program.name in self.rules.council_names else {}
        contact = facts.get("contact", ())
        titles = tuple(_titled(program, rule, ref) for rule, ref in columns)
        return Letter(
            self.title,
            told.council,
            told.year,
            told.reference,
            tuple(
                (_titled(program, rule, ref), line.words)
                for rule, ref in heads
                for of in [teller if _of_rows_beside(program, rule) else whole]
                if (line := of.line(ref, of.root)) is not None
            ),
            titles,
            tuple(_stretches(shown_of, [ref for _, ref in columns])),
            tuple(part for part in parts if part.title not in (OPENING, WORKING)),
            tuple(_sources(told, shown_of, [source for _, _, source in texts])),
            titles if told.provisional and working else told.provisional,
            told.adopted,
            told.hypothetical,
            tuple(str(line) for line in (contact if isinstance(contact, list | tuple) else [contact])),
            opening,
            working,
        )

    def _teller(self, program: Program, records: Records, reference: str) -> Teller:
        root, evaluator, trace = worked_out(program, records, reference)
        return Teller(program, evaluator, trace, root, aside=self.files, pennies=True)

    @staticmethod
    def _texts(teller: Teller, root: Row, rules: list[Rule]) -> Iterator[tuple[str, str, str]]:
        for rule in rules:
            line = teller.line(Ref(rule.entity, rule.name), root)
            if line is not None and not nothing(line.value) and line.because:
                yield line.title, line.because, line.source


def letter_of_example(rules: Rules, path: Path, name: str | None, letter: str | None = None, key: str | None = None) -> tuple[Letter, str]:
    """The notice for a case of a case file, as of `LetterWriter.letter`, and its council's name.  Raises UsageError without such a case."""
    document = rules.document_at(path)
    found = letter_file(rules, letter, str(document.subject or "") if isinstance(document, CasesFile) else "")
    examples = LetterCases(rules, found).read(path)
    example = next((example for example in examples if name is None or example.name == name), None)
    if example is None:
        raise UsageError("RC046", f"{path} has no case called {name}", hint="rbcalc explain --case without --letter lists its cases")
    known = example.program.name in rules.council_names
    title = rules.council(example.program.name).title if known else ""
    written = LetterWriter(rules, found).letter(example.program, example.records, council=title, reference=example.name, key=key)
    return written, example.program.name if known else ""


def _told(program: Program, rule: Rule) -> Ref | None:
    """What a rule of a letter file puts in a table: the value that it passes on, or its own; nothing for a text, a condition or a step."""
    if rule.cases or str(rule.type) == "yes/no" or Ref(rule.entity, rule.name) not in program.outputs:
        return None
    passed = rule.body.value if rule.body.op is Op.COLUMN else None
    return passed if isinstance(passed, Ref) and passed.entity == rule.entity else Ref(rule.entity, rule.name)


def _of_rows_beside(program: Program, rule: Rule) -> bool:
    """Whether a total is a sum over rows that may stand beside each other."""
    over = rule.body.value
    return rule.body.op is Op.AGGREGATE and isinstance(over, Aggregate) and program.entities[over.child].beside


def _titled(program: Program, rule: Rule, ref: Ref) -> str:
    """The title that the letter file gives, else that of the value that is passed on."""
    return rule.title if rule.title.replace(" ", "_") != rule.name else program.rule(ref.entity, ref.name).title


def _stretches(outcomes: list[Outcome], columns: list[Ref]) -> Iterator[Stretch]:
    before: list[Step] = []
    for outcome in outcomes:
        words = {line.name: line.words for line in outcome.figures}
        steps = list(_steps(outcome.deciding))
        new = [step for step in steps if step not in before]
        yield Stretch(
            shown(outcome.first_day),
            shown(outcome.last_day),
            tuple(words.get(ref.name, "") for ref in columns),
            outcome.refused,
            outcome.needed,
            tuple(new),
            as_before=len(new) < len(steps),
        )
        before = steps


def _steps(lines: tuple[Line, ...]) -> Iterator[Step]:
    """The lines that a reader needs: those with a reason, and amounts that no line before gave."""
    seen: set[str] = set()
    for line in lines:
        if not line.because and (line.words in seen or str(line.type) == "£/day" or nothing(line.value)):
            continue
        seen.add(line.words)
        yield Step(line.title, line.words, line.because, line.provisional)


def _parts(texts: list[tuple[str, str]]) -> Iterator[Part]:
    """Sections of texts that follow each other under one title, items of a list put together."""
    blocks: list[Block] = []
    for place, (title, text) in enumerate(texts):
        if text.startswith(_ITEM):
            item = text.removeprefix(_ITEM)
            if blocks and blocks[-1].items:
                blocks[-1] = Block(items=(*blocks[-1].items, item))
            else:
                blocks.append(Block(items=(item,)))
        else:
            blocks.append(Block(text))
        if place + 1 == len(texts) or texts[place + 1][0] != title:
            yield Part(title, tuple(blocks))
            blocks = []


def _sources(told: Explanation, outcomes: list[Outcome], texts: list[str]) -> list[str]:
    """What the decision and the notice rest on, each once."""
    deciding = ((*(line.source for line in outcome.deciding), outcome.source if outcome.refused else "") for outcome in outcomes)
    found: dict[str, Any] = dict.fromkeys(source for sources in deciding for source in sources if source)
    return list(dict.fromkeys(_ADDRESS.sub(r"\1", source) for source in found | dict.fromkeys(source for source in texts if source)))
