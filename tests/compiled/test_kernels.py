"""What kernels look like, what is refused, and figures that are carried from row to row."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from compiled.programs import (
    COUNT,
    ROOT,
    Aggregate,
    Batch,
    Choice,
    Entity,
    Mode,
    Op,
    Ref,
    agrees,
    check_against,
    col,
    const,
    draw,
    fact,
    figure,
    node,
    program,
    rounded,
    rows,
    rule,
    table,
    test,
)
from rbcalc_kernels.compiled.evaluator import compile_program
from rbcalc_kernels.compiled.names import Names, sanitised
from rbcalc_kernels.program.graph import Node, Rule
from rbcalc_kernels.source import RulesError, Span

OUT = Ref(ROOT, "out")
HERE = Span("rules/x.yaml", 3, 5, 3, 20)


def at(made: Node) -> Node:
    """The node with a place in a file."""
    return Node(made.op, made.type, made.args, made.value, HERE)


def refused(body: Node, *facts: Any, parameters: Any = ()) -> Any:
    """The only finding of a rule that is refused."""
    made = program([rule("out", body)], facts, parameters)
    with pytest.raises(RulesError) as refusal:
        compile_program(made, [OUT], engine="python")
    (found,) = refusal.value.diagnostics
    return found


def test_division_that_may_be_by_0() -> None:
    """A divisor that may be 0 is refused with the way out, and each way out is taken."""
    facts = [fact("a", 0, 100), fact("b", 0, 9), fact("c", -9, -1)]
    found = refused(at(node(Op.DIV, col("a"), col("b"))), *facts)
    assert (found.code, found.span, found.help) == ("RB092", HERE, "write max(x, 1) or guard it")
    assert found.message == "account.out: the divisor may be 0"
    assert refused(at(node(Op.DIV, col("a"), const(0))), *facts).message == "account.out: division by 0"
    share = node(Op.DIV, col("a"), col("b"))
    bodies = [
        node(Op.DIV, col("a"), node(Op.MAX, col("b"), const(1))),
        node(Op.IF, test(Op.GT, col("b"), const(0)), share, const(-1)),
        node(Op.IF, test(Op.OR, test(Op.LT, col("b"), const(2)), test(Op.EQ, col("a"), const(7))), const(0), share),
        node(Op.IF, test(Op.NOT, test(Op.LE, col("b"), const(0))), share, const(-1)),
        node(Op.DIV, col("a"), col("c")),
    ]
    random = np.random.default_rng(1)
    batch = Batch({ROOT: rows(**{each.name: draw(each, 200, random) for each in facts})})
    for body in bodies:
        for mode in Mode:
            results = agrees(program([rule("out", rounded(body, mode))], facts), batch, [OUT])
            assert not results.doubt.any()


def test_too_large_figures_name_their_bound() -> None:
    """What fits no form is refused where it stands, with the bound that was proved."""
    wide = [fact("a", 0, 10**14, "1/100"), fact("b", 0, 10**14, "1/100")]
    found = refused(at(rounded(node(Op.MUL, col("a"), col("b")))), *wide)
    assert found.code == "RB090"
    assert "may reach 1e+28" in found.message
    third = node(Op.MUL, node(Op.MUL, col("f"), col("f")), node(Op.MUL, col("f"), node(Op.MUL, col("f"), col("f"))))
    found = refused(at(third), fact("f", 0, 2, "1/10000"))
    assert (found.code, found.help) == ("RB095", "round it")


def test_all_refusals_are_reported_at_once() -> None:
    """One run reports every rule that is refused, and not those that only read them."""
    zero = at(node(Op.DIV, const(1), col("a")))
    other = Node(zero.op, zero.type, zero.args, None, Span("rules/x.yaml", 9, 1, 9, 2))
    rules = [rule("one", zero), rule("two", other), rule("out", node(Op.ADD, col("one"), col("two")))]
    with pytest.raises(RulesError) as refusal:
        compile_program(program(rules, [fact("a", 0, 1)]), [OUT])
    assert [found.message.split(":")[0] for found in refusal.value.diagnostics] == ["account.one", "account.two"]


YEAR = "year"
YEARS = (Entity(ROOT, None), Entity(YEAR, ROOT, ordered=True))


def before(name: str, first: Node) -> Node:
    """The value of the row before."""
    return Node(Op.PREVIOUS, COUNT, (first,), Ref(YEAR, name))


def years() -> tuple[Any, Batch]:
    """Facts and rows of an ordered entity."""
    facts = [fact("bill", 0, 90_000, "1/100", entity=YEAR), fact("cap", 0, 2, "1/1000", entity=YEAR), fact("start", 0, 500)]
    random = np.random.default_rng(6)
    of = np.sort(random.integers(0, 50, 400)).tolist()
    return facts, Batch({
        ROOT: rows(start=random.integers(0, 501, 50).astype(np.int16)),
        YEAR: rows(of=of, parents=50, bill=random.integers(0, 9_000_001, 400).astype(np.int32),
                   cap=random.integers(0, 2001, 400).astype(np.int16)),
    })  # fmt: skip


@pytest.mark.parametrize("engine", ["python", "numba"])
def test_figures_carried_from_row_to_row(engine: str) -> None:
    """Chains, running totals and pairs of rules that carry each other agree."""
    facts, batch = years()
    bill, cap = col("bill", entity=YEAR), col("cap", entity=YEAR)
    capped = node(Op.MIN, bill, node(Op.MUL, before("chain", bill), cap))
    rules = [
        rule("chain", rounded(capped), YEAR),
        rule("total", node(Op.ADD, before("total", col("start")), bill), YEAR),
        rule("up", node(Op.ADD, const(1), before("down", const(0))), YEAR),
        rule("down", node(Op.MIN, const(100), node(Op.MUL, col("up", entity=YEAR), const(2))), YEAR),
        rule("ever", Node(Op.OR, test(Op.LT, const(0), const(1)).type, (
            test(Op.GT, bill, const(85_000)),
            Node(Op.PREVIOUS, test(Op.LT, bill, bill).type, (const(False, test(Op.LT, bill, bill).type),), Ref(YEAR, "ever")),
        )), YEAR),
        rule("two_back", before("once", const(-1)), YEAR),
        rule("once", before("chain", const(-2)), YEAR),
        rule("after", node(Op.SUB, col("total", entity=YEAR), col("chain", entity=YEAR)), YEAR),
        rule("out", Node(Op.AGGREGATE, COUNT, (col("after", entity=YEAR), const(True, test(Op.LT, bill, bill).type)),
                         Aggregate("sum", YEAR))),
    ]  # fmt: skip
    rules = [each for each in rules if each.name != "two_back"] + [each for each in rules if each.name == "two_back"]
    made = program(rules, facts, entities=YEARS)
    outputs = [Ref(YEAR, each.name) for each in rules if each.entity == YEAR] + [OUT]
    agrees(made, batch, outputs, engine=engine)


@pytest.mark.parametrize("engine", ["python", "numba"])
def test_the_same_as_before_is_certain(engine: str) -> None:
    """A share with a divisor that varies is compared with that of the row before to its last digit, though int64 cannot hold both."""
    facts = [fact("a", 0, 410, "1/1000000000000000", entity=YEAR), fact("d", 1, 6, entity=YEAR)]
    share = node(Op.DIV, col("a", entity=YEAR), col("d", entity=YEAR))
    last = before("share", const(1000))
    rules = [rule("share", share, YEAR)]
    rules += [rule(sign.name.lower(), test(sign, col("share", entity=YEAR), last), YEAR) for sign in (Op.EQ, Op.LT)]
    made = program(rules, facts, entities=YEARS)
    random = np.random.default_rng(4)
    d = random.integers(1, 7, 300)
    # Equal shares, and shares that differ in their last digit.
    a = d * 60_000_000_000_000_001 + random.choice([0, 0, -1, 1], 300)
    of = np.sort(random.integers(0, 60, 300)).tolist()
    batch = Batch({ROOT: rows(60), YEAR: rows(of=of, parents=60, a=a, d=d.astype(np.int16))})
    results = agrees(made, batch, [Ref(YEAR, each.name) for each in rules[1:]], engine=engine)
    assert not results.doubt.any()


def test_divisors_that_vary_far_are_carried_within_an_error() -> None:
    """A share of one in up to a hundred is no multiple of a constant that int64 holds."""
    facts = [fact("a", 0, 1000, entity=YEAR), fact("d", 1, 100, entity=YEAR)]
    share = rule("share", node(Op.DIV, col("a", entity=YEAR), col("d", entity=YEAR)), YEAR)
    made = program([share, rule("out", rounded(node(Op.MUL, before("share", const(0)), const(300))), YEAR)], facts, entities=YEARS)
    random = np.random.default_rng(5)
    columns = {each.name: draw(each, 300, random) for each in facts}
    batch = Batch({ROOT: rows(60), YEAR: rows(of=np.sort(random.integers(0, 60, 300)).tolist(), parents=60, **columns)})
    agrees(made, batch, [Ref(YEAR, "out")])


def test_figures_that_grow_without_end_are_refused() -> None:
    """An unrounded chain, and one that doubles from row to row, are refused."""
    facts, _ = years()
    doubled = Rule("out", YEAR, COUNT, at(node(Op.MUL, before("out", const(1)), const(2))))
    with pytest.raises(RulesError) as refusal:
        compile_program(program([doubled], facts, entities=YEARS), [Ref(YEAR, "out")])
    assert refusal.value.diagnostics[0].code in ("RB090", "RB095")
    unrounded = Rule("out", YEAR, COUNT, at(node(Op.MUL, before("out", const(1)), col("cap", entity=YEAR))))
    with pytest.raises(RulesError):
        compile_program(program([unrounded], facts, entities=YEARS), [Ref(YEAR, "out")])


def plain() -> Any:
    """Thirty plain statements with a table look-up."""
    kinds, sizes = Choice("kind", tuple(f"k{i}" for i in range(64))), Choice("size", tuple("ABCDEFGHI"))
    cells = {(k, s): ((), (100 + 7 * i + j,)) for i, k in enumerate(kinds.members) for j, s in enumerate(sizes.members)}
    facts = [fact("kind", 0, 0, kind=kinds), fact("size", 0, 0, kind=sizes), fact("a", 0, 5000, "1/100"), fact("d", 1, 366)]
    rules = [rule("r0", Node(Op.LOOKUP, COUNT, (col("kind", kinds), col("size", sizes)), "charge"))]
    for k in range(1, 29):
        last = col(f"r{k - 1}")
        forms = [
            node(Op.ADD, last, col("a")), node(Op.MAX, const(0), node(Op.SUB, last, Node(Op.PARAMETER, COUNT, (), "p"))),
            rounded(node(Op.DIV, node(Op.MUL, last, col("d")), const(365))), node(Op.IF, test(Op.GT, last, const(40)), last, col("a")),
            node(Op.MIN, const(9000), last),
        ]  # fmt: skip
        rules.append(rule(f"r{k}", forms[k % 5]))
    rules.append(rule("out", rounded(node(Op.MUL, col("r28"), const(Fraction(3, 4))))))
    return program(rules, facts, [figure("p", "12.5")], [table("charge", [kinds, sizes], cells)])


def test_plain_kernels_work_on_several_rows_at_once() -> None:
    """The machine code of thirty statements with a table look-up holds packed instructions, gathers among them."""
    made = plain()
    random = np.random.default_rng(2)
    batch = Batch({ROOT: rows(**{ref.name: (random.integers(0, 9, 3000).astype(np.int8) if ref.name == "size" else draw(each, 3000, random))
                                 for ref, each in made.inputs.items()})})  # fmt: skip
    compiled = compile_program(made, [OUT], engine="numba")
    results = compiled.run(batch)
    check_against(made, batch, [OUT], results)
    kernels = list(compiled.general.kernels.values())
    assert len(kernels) == 1
    assert kernels[0].packed > 40


def test_source_is_plain_python() -> None:
    """The source parses, names rules and titles, calls nothing of other files, and holds no author's text as code."""
    evil = 'x\n    import os #`\'"""{0}\\'
    rules = [
        Rule("a b; import os", ROOT, COUNT, node(Op.ADD, col("a"), const(1)), title=evil),
        Rule("lambda", ROOT, COUNT, node(Op.ADD, col("a b; import os"), const(1)), title="Of £5, 10% & more"),
        Rule("net__1", ROOT, COUNT, node(Op.MUL, col("lambda"), const(Fraction(1, 3)))),
        Rule("net", ROOT, COUNT, rounded(node(Op.MUL, col("net__1"), const(2)))),
        Rule("float64", ROOT, COUNT, node(Op.ADD, col("net"), const(1))),
    ]
    made = program(rules, [fact("a", 0, 9)])
    outputs = [Ref(ROOT, each.name) for each in rules]
    compiled = compile_program(made, outputs, engine="python")
    tree = ast.parse(compiled.source)
    imports = [each for each in ast.walk(tree) if isinstance(each, ast.Import | ast.ImportFrom)]
    assert {each.module for each in imports if isinstance(each, ast.ImportFrom)} == {"numpy"}
    assert not any(isinstance(each, ast.Import) for each in imports)
    assert "# Of £5, 10% more" in compiled.source
    batch = Batch({ROOT: rows(a=np.arange(10, dtype=np.int8))})
    check_against(made, batch, outputs, compiled.run(batch))


def test_names_are_safe_and_unique() -> None:
    """Whatever is asked for, identifiers are plain, unique, and never a word of the language."""
    names = Names()
    wishes = ["a", "A", "a-b", "a_b", "class", "", "7", "é", "i", "n", "x" * 300, "a" * 60 + "b", "match", "__x__", "floor"]
    found = [names.of(("key", k), wish, f"more {wish}") for k, wish in enumerate(wishes)]
    assert len(set(found)) == len(found)
    assert all(re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", name) and len(name) < 70 for name in found)
    assert not {"class", "i", "n", "match", "floor"} & set(found)
    assert sanitised('a\nb\t"c" \u202e#`d`') == "a b c d"


def test_only_what_is_wanted_is_compiled() -> None:
    """Rules that no output needs are left out."""
    rules = [rule("unused", node(Op.ADD, col("a"), const(1))), rule("out", node(Op.ADD, col("a"), const(2)))]
    source = compile_program(program(rules, [fact("a", 0, 9)]), [OUT], engine="python").source
    assert "unused" not in source


def test_importing_does_not_load_numba() -> None:
    """Numba is loaded only when something is computed."""
    code = "import sys; import rbcalc_kernels.compiled.evaluator; sys.exit('numba' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], env={"PYTHONPATH": ":".join(sys.path)}, check=False)
    assert done.returncode == 0


def test_long_chains_and_deep_nesting() -> None:
    """Hundreds of cases in one rule, and hundreds of rules in a chain, compile."""
    body = const(0)
    for k in range(120):
        body = node(Op.IF, test(Op.EQ, col("a"), const(k)), const(k * k), body)
    rules = [rule("r0", body)]
    rules += [rule(f"r{k}", node(Op.ADD, col(f"r{k - 1}"), const(1))) for k in range(1, 300)]
    rules.append(rule("out", node(Op.ADD, col("r299"), col("r0"))))
    made = program(rules, [fact("a", 0, 200)])
    batch = Batch({ROOT: rows(a=np.arange(150, dtype=np.int16))})
    compiled = compile_program(made, [OUT], engine="python")
    assert compiled.run(batch).columns[OUT][:3].tolist() == [299, 301, 307]


def test_the_engine_can_be_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same source runs without Numba where that is asked for; another engine is an error."""
    made = program([rule("out", node(Op.ADD, col("a"), const(2)))], [fact("a", 0, 9)])
    monkeypatch.setenv("RBCALC_ENGINE", "python")
    compiled = compile_program(made, [OUT])
    assert compiled.run(Batch({ROOT: rows(a=np.arange(3, dtype=np.int8))})).columns[OUT].tolist() == [2, 3, 4]
    assert [kernel.engine for kernel in compiled.general.kernels.values()] == ["python"]
    monkeypatch.setenv("RBCALC_ENGINE", "abacus")
    with pytest.raises(ValueError, match="numba or python, not abacus"):
        compile_program(made, [OUT])
