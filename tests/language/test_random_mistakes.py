"""Random mistakes in shipped rules and in expressions: each ends with findings that have a place and a stable code."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from language.linking_toolbox import BASE, ROOT, write
from rbcalc._years import FinancialYear
from rbcalc.rulebook.rules import load
from rbcalc_kernels.language.documents import Text
from rbcalc_kernels.language.shaping import document
from rbcalc_kernels.program.expressions import Scope, Stop, Typer
from rbcalc_kernels.program.library import Library, RuleSource
from rbcalc_kernels.program.linking import Linker, link
from rbcalc_kernels.program.overlays import gather
from rbcalc_kernels.source import Findings, RulesError, Scalar, Span, read
from rbcalc_kernels.source.codes import CODES

RULES = load()
LIBRARY = RULES.library
COUNCIL = "hartlepool"
STATUTE = LIBRARY.named("england")
SHIPPED = [*STATUTE, *(path for path in LIBRARY.named(f"councils.{COUNCIL}") if path.name not in ("council.yaml", "profile.yaml"))]
SEASON = settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])


@st.composite
def spoilt(draw: st.DrawFn) -> tuple[Path, str]:
    """A shipped file with a few lines deleted, doubled or swapped, or a few characters changed."""
    path = draw(st.sampled_from(SHIPPED))
    lines = path.read_text(encoding="utf-8").split("\n")
    for _ in range(draw(st.integers(1, 3))):
        one, other = draw(st.integers(0, len(lines) - 1)), draw(st.integers(0, len(lines) - 1))
        match draw(st.sampled_from(["delete", "double", "swap", "character", "word"])):
            case "delete":
                del lines[one]
            case "double":
                lines.insert(other, lines[one])
            case "swap":
                lines[one], lines[other] = lines[other], lines[one]
            case "character":
                at = draw(st.integers(0, len(lines[one])))
                letter = draw(st.sampled_from(list(" :,-{}[]()'\"|>£%*/=<.0aZ_#\n")))
                lines[one] = lines[one][:at] + letter + lines[one][at + draw(st.integers(0, 1)) :]
            case "word":
                words = re.findall(r"\w+", "\n".join(lines))
                found = list(re.finditer(r"\w+", lines[one]))
                if found:
                    old = draw(st.sampled_from(found))
                    lines[one] = lines[one][: old.start()] + draw(st.sampled_from(words)) + lines[one][old.end() :]
        if not lines:
            break
    return path, "\n".join(lines)


class Spoilt(Library):
    """The shipped rules with one file changed; the others are read once for all examples."""

    def __init__(self, path: Path, text: str) -> None:
        super().__init__(ROOT / "rules")
        for shipped in SHIPPED:
            LIBRARY.open(shipped, Findings())
        self._read, self._broken = dict(LIBRARY._read), dict(LIBRARY._broken)
        found, content = Findings(), None
        try:
            content = document(read(text, self.shown(path)), found)
        except RulesError as error:
            found.extend(error.diagnostics)
        self._read[path.resolve()] = None if content is None else RuleSource(self.shown(path), text, content)
        self._broken[path.resolve()] = found


LAID_OVER = ("booklets", "cliffs", "letters")
SUBJECTS = [subject.name for subject in RULES.subjects.all]


@cache
def served(subject: str) -> frozenset[str]:
    """The files of the council's program of a subject."""
    return frozenset(source.file for source in LIBRARY.closure(RULES.council(COUNCIL).of(subject).files(), Findings()))


def program_with(path: Path, subject: str) -> tuple[list[Path], bool]:
    """The council's program of a subject with a file in it or laid over it; of statute that this council has no use for, that alone."""
    if LIBRARY.shown(path) in served(subject) or path.parent.name in LAID_OVER:
        return list(dict.fromkeys([*RULES.council(COUNCIL).of(subject).files(), path])), True
    return [path], False


def years_of(subject: str) -> list[FinancialYear]:
    years = RULES.council(COUNCIL).of(subject).years()
    return [years[0], years[-2], years[-1]]


@SEASON
@given(spoilt(), st.integers(0, 2), st.data())
def test_a_spoilt_file_links_or_is_refused(case: tuple[Path, str], place: int, data: st.DataObject) -> None:
    path, text = case
    subject = data.draw(st.sampled_from(sorted(RULES.subjects.reached(path)) or SUBJECTS))
    paths, complete = program_with(path, subject)
    year = years_of(subject)[place]
    try:
        found = link(Spoilt(path, text), paths, year.first_day, year.last_day, complete=complete).findings
    except RulesError as error:
        found = Findings(error.diagnostics)
        assert found.errors
    assert all(each.code in CODES and each.span.line >= 1 for each in found)


@pytest.mark.parametrize("subject", SUBJECTS)
def test_as_shipped_nothing_is_wrong(subject: str) -> None:
    """So what is found above is the mistake."""
    own, year = RULES.council(COUNCIL).of(subject).files(), years_of(subject)[-1]
    over = [path for path in STATUTE if subject in RULES.subjects.reached(path) and LIBRARY.shown(path) not in served(subject)]
    for path in (own[0], *over):
        paths, complete = program_with(path, subject)
        assert not link(LIBRARY, paths, year.first_day, year.last_day, complete=complete).findings.errors


WORDS = [
    "rent", "rooms", "band", "use", "empty_since", "income", "birth_date", "student", "A", "B", "home", "first_day", "days",
    "year_start", "£5", "£0", "£5/week", "20%", "2", "0.5", "3/7", "26", "weeks", "2025-05-01", "yes", "no", "+", "-", "*", "/",
    "=", "!=", "<", "<=", ">", ">=", "and", "or", "not", "if", "then", "else", "in", "[A,", "B]", "(", ")", ",", ":", ".",
    "where", "as", "£/week", "as", "count", "as", "at", "residents", "periods", "account", "sum(", "count(", "any(", "all(",
    "min(", "max(", "known(", "first_known(", "previous(", "reached(", "floor(", "round(", "half", "up", "per_day(", "per_year(",
    "age(", "months_after(", "next_monday(", "year(", "none:", "first:", "residents.income",
]  # fmt: skip


def trees() -> st.SearchStrategy[str]:
    values = "rent,rooms,band,A,income,student,yes,£5,£5/week,20%,2,14 days,2025-05-01,days,empty_since,first_day,year_end,use,0,5/9"
    leaves = st.sampled_from([*values.split(","), "residents", "known(rooms)"])
    two = st.sampled_from(["+", "-", "*", "/", "=", "<", ">=", "and", "or", "!="])
    calls = st.sampled_from(
        ["min", "max", "floor", "known", "first_known", "per_week", "per_year", "reached", "age", "months_after", "year", "count", "sum"]
    )

    def more(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
        return st.one_of(
            st.tuples(inner, two, inner).map(lambda part: f"({part[0]} {part[1]} {part[2]})"),
            st.tuples(inner, inner, inner).map(lambda part: f"(if {part[0]} then {part[1]} else {part[2]})"),
            st.tuples(calls, st.lists(inner, min_size=1, max_size=3)).map(lambda part: f"{part[0]}({', '.join(part[1])})"),
            st.tuples(inner, inner).map(lambda part: f"sum(residents.income where {part[0]} = {part[1]})"),
            st.tuples(st.sampled_from(["rent", "rooms", "band"]), inner).map(lambda part: f"previous({part[0]}, first: {part[1]})"),
            inner.map(lambda part: f"(not {part})"),
            inner.map(lambda part: f"({part} as £/week)"),
            inner.map(lambda part: f"({part} in [A, B])"),
        )

    return st.recursive(leaves, more, max_leaves=12)


@pytest.fixture(scope="module")
def typer(tmp_path_factory: pytest.TempPathFactory) -> tuple[Linker, object]:
    from rbcalc_kernels.program.declaring import declared_names

    root = write(tmp_path_factory.mktemp("typed"), {"base.yaml": BASE})
    found = Findings()
    sources = Library(root).closure([root / "base.yaml"], found)
    names, _ = declared_names(gather(sources, found, 20179, 20543), 20179, 20543, found, complete=True)
    return names, sources  # type: ignore[return-value]


@settings(deadline=None, max_examples=200)
@given(
    expression=trees() | st.lists(st.sampled_from(WORDS), max_size=14).map(" ".join),
    entity=st.sampled_from(["period", "resident", "account"]),
)
def test_an_expression_has_a_type_or_a_finding(typer: tuple[Linker, object], expression: str, entity: str) -> None:
    found = Findings()
    text = Text.of(Scalar(expression, Span("rules/x.yaml", 1, 1, 1, len(expression) + 1)))
    try:
        node = Typer(typer[0], text, found).typed(Scope(entity), None)  # type: ignore[arg-type]
        assert not found
        assert node.type is not None
    except Stop:
        assert found
        assert all(1 <= each.span.column <= max(len(expression), 1) and each.span.line == 1 for each in found)
