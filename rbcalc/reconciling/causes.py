"""Why figures differ: suppositions are tried, and only those are told that the figures prove.

A figure of the rules is told when it gives the live figures of several accounts to the penny, and of nearly all accounts
whose figures it changes.  A rule is told when nearly all accounts of a group differ and the others match.  A fact is told when it
gives all the live figures of the account.  What is left is not explained.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from rbcalc.caseload.choosing import chosen
from rbcalc.reconciling.facts import MOST_TOGETHER, Facts, Found
from rbcalc.reconciling.figures import Supposition, by_members, pro_rata, roundings, suppositions, years_beside
from rbcalc.reconciling.runs import Mask, Pence, Runner, Worked
from rbcalc_kernels.program.graph import Program

if TYPE_CHECKING:
    from pathlib import Path

    from rbcalc._years import FinancialYear
    from rbcalc.caseload.model import Caseload
    from rbcalc.rulebook.rules import Council

PARAMETER, RULE, ROUNDING, DATA, UNEXPLAINED = range(5)
KINDS: Final = ("parameter", "rule", "rounding", "data", "not explained")
FEW_PENCE: Final = 3
LEAST: Final = 3
"""So many accounts prove that a figure or a rule differs; fewer may be chance."""
NEARLY: Final = 90
"""Per cent of the accounts that a supposition changes, or of a group, for which it must hold."""
SEVERAL: Final = 10
"""Per cent of the other accounts that may differ where a group is told."""
HANDFUL: Final = 8
SAMPLE: Final = 200
"""Accounts worked out by rules that no kernel was made for."""


@dataclass(slots=True)
class Causes:
    """For each row of a council's part of the caseload: the kind of cause, -1 where nothing differs, and the words."""

    kind: npt.NDArray[np.int8]
    what: dict[int, str] = field(default_factory=dict)
    detail: dict[int, str] = field(default_factory=dict)
    ways: dict[int, int] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


class Search:
    """The search for causes in one council's accounts."""

    def __init__(self, runner: Runner, own: Caseload, ours: Pence, live: Pence, both: Mask) -> None:
        """`both` says which rows have both figures; the others are left alone."""
        self.runner, self.own, self.ours, self.live, self.both = runner, own, ours, live, both
        self.registers = own.columns()
        self.open = both & (ours != live).any(axis=1)
        self.differing = self.open.copy()
        self.causes = Causes(np.where(self.open, UNEXPLAINED, -1).astype(np.int8))
        self.accepted: list[tuple[str, Program]] = []

    def run(self, council: Council, year: FinancialYear, charges: tuple[Path, ...], told: Callable[[str], None]) -> Causes:
        """Try everything, the strongest evidence first."""
        if not self.open.any():
            return self.causes
        program = self.runner.program
        beside = years_beside(council, year)
        told("figures of the rules")
        self._figures(suppositions(program, beside), PARAMETER)
        if self.open.sum() >= LEAST:
            self._figures(by_members(council, year, program, beside, charges), PARAMETER)
        told("rounding")
        self._figures(pro_rata(program), ROUNDING)
        self._roundings()
        told("rules")
        self._rules()
        told("facts")
        self._facts(None, "")
        for what, supposed in self.accepted:
            if self.open.any():
                self._facts(supposed, f", together with: {what}")
        return self.causes

    def _tell(self, rows: Any, kind: int, what: str, found: dict[int, Found] | None = None) -> None:
        self.causes.kind[rows] = kind
        self.open[rows] = False
        for row in rows:
            self.causes.what[int(row)] = what

    def _part(self, rows: Any) -> Any:
        """The registers of some rows alone."""
        mask = np.zeros(self.ours.shape[0], bool)
        mask[rows] = True
        return chosen(self.own, self.runner.program.registers, {self.own.root: mask}).columns()

    def _gathered(self) -> npt.NDArray[np.int64]:
        """For each row the first that is gathered with it; itself where rows stand alone."""
        by = self.runner.program.gathered_by
        carried = self.registers[self.own.root].same.get(by) if by else None
        return np.arange(self.ours.shape[0]) if carried is None else carried.astype(np.int64)

    def _worked(self, rows: Any, run: Callable[[Any], Worked]) -> Worked:
        """Some rows worked out by themselves; where rows are gathered, with all that are gathered with them."""
        together = self._gathered()
        needed = np.flatnonzero(np.isin(together, together[rows]))
        worked = run(self._part(needed))
        mine = np.searchsorted(needed, rows)
        return Worked(worked.pence[mine], worked.known[mine])

    # ------------------------------------------------------------------------------------------ figures of the rules
    def _figures(self, supposed: Iterator[Supposition], kind: int) -> None:
        rows = np.flatnonzero(self.open)
        if rows.size < LEAST:
            return
        proposed: list[tuple[int, str, Program]] = []
        for each in supposed:
            program = each.program()
            worked = self._worked(rows, lambda part, used=program: self.runner.worked(part, used))  # type: ignore[misc]
            gives = int(worked.equals(self.live[rows]).sum())
            if gives >= LEAST:
                proposed.append((gives, each.what, program))
        for _, what, program in sorted(proposed, key=lambda held: -held[0]):
            worked = self.runner.worked(self.registers, program)
            if self._prove(worked.known & self.both, worked.pence, kind, what) and kind == PARAMETER:
                self.accepted.append((what, program))

    def _prove(self, known: Mask, pence: Pence, kind: int, what: str) -> bool:
        """Tell a supposition that gives the live figures of nearly all accounts whose figures it changes."""
        changed = known & (pence != self.ours).any(axis=1)
        gives = changed & (pence == self.live).all(axis=1)
        rows = np.flatnonzero(gives & self.open)
        if rows.size < LEAST or gives.sum() * 100 < changed.sum() * NEARLY:
            return False
        self._tell(rows, kind, what)
        return True

    # ------------------------------------------------------------------------------------------------------ rounding
    def _roundings(self) -> None:
        size = np.abs(self.live - self.ours)
        for place, figure in enumerate(self.runner.figures):
            for ref in figure.roundings:
                for what, most, program in roundings(self.runner.program, ref):
                    self._rounded(size, place, what, most, program)
        few = np.flatnonzero(self.open & (size.max(axis=1, initial=0) <= FEW_PENCE))
        for pence in range(1, FEW_PENCE + 1):
            rows = few[size[few].max(axis=1, initial=0) == pence]
            self._tell(rows, ROUNDING, f"a difference of {pence}p that no other rounding tried gives")

    def _rounded(self, size: Pence, place: int, what: str, most: int, program: Program) -> None:
        near = self.open & (size[:, place] > 0) & (size.max(axis=1) <= most)
        rows = np.flatnonzero(near)[:SAMPLE]
        if rows.size < LEAST:
            return
        # A rounding that is used shows in a handful of accounts, and a handful takes the exact evaluator no time.
        few = rows[:: max(1, rows.size // HANDFUL)][:HANDFUL]
        if not self.runner.exactly(self.registers, few.tolist(), program).equals(self.live[few]).any():
            return
        matching = np.flatnonzero(self.both & ~self.differing)
        check = matching[:: max(1, matching.size // SAMPLE)][:SAMPLE]
        tried = np.concatenate([rows, check])
        tried.sort()
        worked = self._worked(tried, lambda part: self.runner.otherwise(part, program))
        known, pence = np.zeros(self.both.size, bool), self.ours.copy()
        known[tried], pence[tried] = worked.known, worked.pence
        if not self._prove(known, pence, ROUNDING, what) or rows.size == near.sum():
            return
        rest = np.flatnonzero(near & self.open)
        again = self._worked(rest, lambda part: self.runner.otherwise(part, program))
        self._tell(rest[again.equals(self.live[rest])], ROUNDING, what)

    # --------------------------------------------------------------------------------------------------------- rules
    def _rules(self) -> None:
        """Groups of which nearly all accounts differ, while the others match."""
        if self.open.sum() < LEAST:
            return
        groups = self.runner.groups(self.registers)
        titles = self._titles(groups)
        while True:
            best: tuple[int, str, Mask] | None = None
            for ref, there in groups.items():
                for place in range(there.shape[1]):
                    members = there[:, place] & self.both & (self.open | ~self.differing)
                    inside = int((members & self.open).sum())
                    outside = self.both & ~there[:, place]
                    others = int((outside & self.open).sum())
                    if inside < LEAST or inside * 100 < members.sum() * NEARLY or others * 100 > max(1, outside.sum()) * SEVERAL:
                        continue
                    if not outside.any():
                        continue
                    if best is None or inside > best[0]:
                        best = inside, f"{titles[ref][0]}: {titles[ref][1][place].replace('_', ' ')}", members & self.open
            if best is None:
                return
            rows = np.flatnonzero(best[2])
            self._tell(rows, RULE, best[1] + self._ratio(rows))

    def _titles(self, groups: Any) -> dict[Any, tuple[str, tuple[str, ...]]]:
        program = self.runner.program
        return {
            ref: (
                program.inputs[ref].title if ref in program.inputs else program.rule(ref.entity, ref.name).title,
                self.runner.kernel.types[ref].members,  # type: ignore[union-attr]
            )
            for ref in groups
        }

    def _ratio(self, rows: Any) -> str:
        """In words, the share of our figure that the live one is, where it is the same for nearly all."""
        for place, figure in enumerate(self.runner.figures):
            ours, live = self.ours[rows, place], self.live[rows, place]
            changed = (ours != live) & (ours != 0)
            if not changed.any():
                continue
            share = round(float(np.median(live[changed] / ours[changed])), 4)
            near = np.abs(live[changed] - np.rint(ours[changed] * share)) <= FEW_PENCE
            if near.sum() * 100 >= changed.sum() * NEARLY:
                return f" ({figure.title}: live is {share * 100:g} % of ours)"
        return ""

    # --------------------------------------------------------------------------------------------------------- facts
    def _facts(self, program: Program | None, beside: str) -> None:
        together = self._gathered()
        few = np.bincount(together, minlength=together.size)[together] <= MOST_TOGETHER
        rows = np.flatnonzero(self.open & few)
        others = int(np.count_nonzero(self.open & ~few))
        if others and program is None:
            told = f"{others:,} accounts that are gathered with {MOST_TOGETHER} or more others differ"
            self.causes.notes.append(f"{told}; no facts of theirs were tried")
        if not rows.size:
            return
        needed = np.flatnonzero(np.isin(together, together[rows]))
        largest = np.abs(self.live - self.ours)[rows].max(axis=1)
        agreed = (self.both & ~self.differing)[needed]
        first = np.searchsorted(needed, together[needed]) if self.runner.program.gathered_by else None
        facts = Facts(self.runner, self._part(needed), program, first, agreed)
        live, differing = self.live[needed], self.live[needed] != self.ours[needed]
        if program is not None:
            differing[:] = differing.any(axis=1)[:, None]
        places = np.searchsorted(needed, rows)
        found = facts.search([int(places[n]) for n in np.argsort(-largest, kind="stable")], live, differing)
        for place, each in found.items():
            row = int(needed[place])
            self._tell([row], DATA, each.what + beside)
            self.causes.detail[row] = each.detail
            self.causes.ways[row] = each.ways
        if facts.left:
            self.causes.notes.append(f"{facts.left:,} accounts differ for which not every other day was tried")
