"""Several claims on one account: each held against the calculation written from the statute, and all values between the evaluators.

1,000 accounts against the statute and 250 between the evaluators, or more where RBCALC_TEST_ACCOUNTS asks for more.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from agreement.accounts import Records
from agreement.both import Compiling, Exactly, differences
from agreement.crowding import crowded
from agreement.joint_claims import JointClaims, of_claim
from agreement.mapping import on
from agreement.scenes import TOTAL, Scene
from agreement.test_reduction import Awarding, Span, by_statute, statute, told
from rbcalc.rulebook.both import encoded
from rbcalc_kernels.compiled.spells import cut
from rbcalc_kernels.program.graph import Ref

SCENES = [Scene("default_scheme", "2018-19", real=False), Scene("default_scheme", "2026-27", real=False)]
BOTH = 250
COUNT = max(1_000, TOTAL // 50)
APART = 0.004
"""Of accounts so many may have a claim that differs, as in `test_reduction`: each has two or three."""


class JointAwarding(Awarding):
    """A program compiled for its awards, told by claim."""

    def by_claim(self, records: list[Records]) -> tuple[list[dict[str, list[Span]]], list[list[Any]], list[tuple[int, int]]]:
        """For each account the awards of each claim, the charges, and in pence the reduction and the charge of the account."""
        batch, refused = cut(self.program, encoded(self.program, records), self.cuts)
        results = self.compiled.run(batch)
        assert not refused.root.size and not results.fault.any() and not results.doubt.any()
        made = results.entities["award"]
        record = batch.records["claims"][made.sources["assessment"]]
        keys = [str(claim["claim"]) for each in records for claim in each["claims"]]
        spans: list[dict[str, list[Span]]] = [{} for _ in records]
        days = (made.columns[name].tolist() for name in ("first_day", "last_day"))
        refs = [ref for ref in self.wanted if ref.entity == "award"]
        values = [[self._value(ref, code, results) for code in results.columns[ref].tolist()] for ref in refs]
        assert made.parent is not None
        for parent, claim, first, last, a_day, awarded in zip(made.parent.tolist(), record.tolist(), *days, *values, strict=True):
            spans[parent].setdefault(keys[claim], []).append(Span(on(first), on(last), a_day, int(100 * awarded)))
        total, charge = Ref("account", "council_tax_reduction"), Ref("period", "charge")
        taken_off = [int(100 * self._value(total, code, results)) for code in results.columns[total].tolist()]
        charged = [0] * len(records)
        for parent, code in zip(np.asarray(batch.entities["period"].parent).tolist(), results.columns[charge].tolist(), strict=True):
            charged[parent] += int(100 * self._value(charge, code, results))
        pence = list(zip(taken_off, charged, strict=True))
        return [{key: told(each) for key, each in found.items()} for found in spans], self.charged(batch, results), pence


@pytest.mark.parametrize("scene", SCENES, ids=str)
def test_each_claim_is_awarded_what_the_statute_awards_it(scene: Scene) -> None:
    claims = JointClaims(scene.program)
    records = [claims.plausible(number) for number in range(COUNT)]
    spans, charges, pence = JointAwarding(scene.program).by_claim(records)
    wrong, apart, beside = [], 0, 0
    for number, each in enumerate(records):
        seen = {str(claim["claim"]): None for claim in each["claims"]}
        for key in seen:
            own = of_claim(each, key)
            expected, found = by_statute(statute(own, scene, charges[number])), spans[number].get(key, [])
            if expected != found and crowded(own, scene.program):
                apart += 1
            elif expected != found:
                wrong.append(f"account {number}, claim {key}: statute {expected}, rules {found}")
        held = [span for key in seen for span in spans[number].get(key, [])]
        beside += any(a is not b and a.first <= b.last and b.first <= a.last for a in held for b in held)
        together = sum(span.pence for span in held)
        if pence[number][0] != min(together, pence[number][1]):
            wrong.append(f"account {number}: {together} pence are awarded of {pence[number][1]}, {pence[number][0]} taken off")
    assert wrong[:5] == [], f"{len(wrong)} differ"
    assert apart <= APART * COUNT, f"{apart} of {COUNT} differ, which have changes close together"
    assert beside > COUNT / 4


@pytest.mark.parametrize("scene", SCENES[1:], ids=str)
def test_every_value_agrees_whatever_the_blocks_and_threads(scene: Scene) -> None:
    compiling, exactly, claims = Compiling(scene.program), Exactly(scene.program), JointClaims(scene.program)
    records = [claims.plausible(number) for number in range(BOTH)]
    compiled = compiling.run(records)
    assert differences(exactly.run(records, compiling.compiled.denominators), compiled) == []
    assert not compiled.doubt
    for threads, block in ((1, 1), (2, 7), (2, 64)):
        assert differences(compiling.run(records, threads=threads, block=block), compiled) == []
    order = np.random.default_rng(1).permutation(BOTH)
    moved = compiling.run([records[number] for number in order]).of_accounts([int(number) for number in order])
    assert differences(moved, compiled) == []
