"""The exact evaluator and the compiled one give the same value for every rule, row by row, over many made-up accounts.

50,000 accounts, or as many as RBCALC_TEST_ACCOUNTS says; scripts/nightly asks for a million.
"""

from __future__ import annotations

import random

import numpy as np
import pytest

from agreement.both import Columns, Compiling, Exactly, differences
from agreement.scenes import CHANGING, SCENES, Scene, mixed, share

BATCH = 5_000
SOME = 600
ALL = [*SCENES, CHANGING]
FEW = [SCENES[0], SCENES[-1], CHANGING]
PLAIN = 150


@pytest.mark.parametrize("scene", ALL, ids=str)
def test_every_value_of_every_rule_agrees(scene: Scene) -> None:
    compiling, exactly = Compiling(scene.program), Exactly(scene.program)
    count = share(ALL)
    wrong, doubt = [], 0
    for first in range(0, count, BATCH):
        accounts = mixed(scene, first, min(first + BATCH, count))
        compiled = compiling.run(accounts)
        exact = exactly.run(accounts, compiling.compiled.denominators)
        doubt += len(compiled.doubt)
        wrong += [f"from account {first}: {text}" for text in differences(exact, compiled)]
        assert len(exact.refused) < len(accounts) / 6, "most accounts are worked out"
    assert wrong == []
    assert doubt <= count / 500, "the kernel is seldom in doubt"


@pytest.mark.parametrize("scene", FEW, ids=str)
def test_nothing_depends_on_blocks_or_threads(scene: Scene) -> None:
    compiling, accounts = Compiling(scene.program), mixed(scene, 0, SOME)
    whole = compiling.run(accounts)
    for threads, block in [(1, 7), (1, 4096), (2, None), (8, None), (2, 7), (8, 1)]:
        assert differences(whole, compiling.run(accounts, threads=threads, block=block)) == [], (threads, block)


@pytest.mark.parametrize("scene", FEW, ids=str)
def test_nothing_depends_on_the_order_of_accounts(scene: Scene) -> None:
    compiling, accounts = Compiling(scene.program), mixed(scene, 0, SOME)
    order = list(range(SOME))
    random.Random(5).shuffle(order)
    shuffled = compiling.run([accounts[number] for number in order])
    assert differences(compiling.run(accounts), shuffled.of_accounts(order)) == []


def test_an_account_is_the_same_among_a_hundred_thousand() -> None:
    scene = SCENES[-1]
    compiling, accounts = Compiling(scene.program), mixed(scene, 0, 100)
    alone, many = compiling.run(accounts), compiling.run(accounts * 1_000, threads=2)
    for ref, column in alone.values.items():
        assert np.array_equal(np.tile(column, 1_000), many.values[ref]), ref


@pytest.mark.parametrize("scene", FEW, ids=str)
def test_the_generated_source_says_the_same_without_machine_code(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    accounts = mixed(scene, 0, PLAIN)
    machine = Compiling(scene.program).run(accounts)
    monkeypatch.setenv("RBCALC_ENGINE", "python")
    compiling = Compiling(scene.program)
    assert compiling.compiled.engine == "python"
    assert differences(machine, compiling.run(accounts)) == []


@pytest.mark.parametrize("wrong", ["value", "row", "refusal"])
def test_a_difference_is_found(wrong: str) -> None:
    scene = SCENES[0]
    compiled = Compiling(scene.program, engine="python").run(mixed(scene, 0, 40))
    other = Columns(dict(compiled.values), dict(compiled.account), dict(compiled.refused))
    ref = next(ref for ref in other.values if ref.name == "charge")
    if wrong == "value":
        other.values[ref] = other.values[ref] + (np.arange(len(other.values[ref])) == 3)
    elif wrong == "row":
        other.account["period"] = other.account["period"][1:]
    else:
        other.refused[0] = "gap"
    assert differences(compiled, compiled) == []
    assert differences(compiled, other) != []
