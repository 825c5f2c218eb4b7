"""Business rates of 2025-26 written out for NumPy, over blocks that stay in the cache: what `rates_kernel.c` says."""

from __future__ import annotations

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import numpy as np
import numpy.typing as npt

Doubles = npt.NDArray[np.float64]
BLOCK = 8_192
EARLIEST, DAYS = 3652, 47_847 - 3652
NAMES = (
    "small", "standard", "small_limit", "empty_from", "charity", "full_to", "taper_to", "divided", "subtracted", "full_divisor",
    "left_out", "together", "together_london", "size_small", "size_small_london", "size_medium", "steps", "share", "cap", "year",
)  # fmt: skip


class Blocked:
    """The work by blocks of ratepayers; amounts are whole numbers in doubles."""

    def __init__(
        self,
        figures: Doubles,
        after: npt.NDArray[np.int32],
        columns: Mapping[str, npt.NDArray[Any]],
        whose: npt.NDArray[np.int64],
        starts: npt.NDArray[np.int64],
    ) -> None:
        self.f = SimpleNamespace(**{name: float(figures[place]) for place, name in enumerate(NAMES)})
        place = len(NAMES)
        self.caps = np.ascontiguousarray(figures[place : place + 9].reshape(3, 3).T)
        self.limits, self.relieved = figures[place + 9 : place + 15], figures[place + 15 :]
        self.after, self.columns, self.whose, self.starts = after, columns, whose, starts

    def run(self, first: int, last: int, out: npt.NDArray[np.int64]) -> None:
        """Some ratepayers, block by block."""
        for begin in range(first, last, BLOCK):
            self.block(begin, min(begin + BLOCK, last), out)

    def block(self, first: int, last: int, out: npt.NDArray[np.int64]) -> None:
        """The accounts of some ratepayers."""
        own, f = self.whose[first : last + 1], self.f
        starts = self.starts[own[0] : own[-1] + 1]
        low, high = int(starts[0]), int(starts[-1])
        starts = starts - low
        several = high - low > starts.size - 1
        amounts = self.periods(low, high, starts if several else None)
        retail = amounts.pop()
        used = np.minimum(retail, f.cap)
        begin = starts[own[:-1] - own[0]]
        more = np.flatnonzero(np.diff(own) + several > 1)
        if more.size:
            # In the running sum of all, what a ratepayer had used before is what stood there when the ratepayer began.
            running = np.cumsum(retail)
            before = np.repeat(running[begin] - retail[begin], np.diff(np.append(begin, retail.size)))
            running -= before
            used = np.minimum(running, f.cap) - np.minimum(running - retail, f.cap)
        amounts.append(amounts[-1] - used)
        if several:
            amounts = [np.add.reduceat(amount, starts[:-1]) for amount in amounts]
        wholes = (10 * f.year, 10 * f.year, 100 * f.year, 1000.0, 1000.0, 1000.0, 1000.0)
        full, due, changed, left, mandatory, rest, bill = (_pence(amount, whole) for amount, whole in zip(amounts, wholes, strict=True))
        rows = slice(int(own[0]), int(own[-1]))
        out[0, rows] = full
        out[1, rows] = full - due
        out[2, rows] = np.maximum(due - changed, 0.0)
        out[3, rows] = np.maximum(changed - due, 0.0)
        out[4, rows] = changed - left
        out[5, rows] = left - mandatory
        out[6, rows] = mandatory - rest
        out[7, rows] = rest - bill
        out[8, rows] = bill

    def periods(self, low: int, high: int, starts: npt.NDArray[np.int64] | None) -> list[Doubles]:
        """The amounts of some periods after each step, and relief for retail before the cap."""
        f, g = self.f, {name: column[low:high] for name, column in self.columns.items()}
        yes = {name: column.view(np.bool_) for name, column in g.items() if name.endswith("?")}
        value, length, day = g["rateable_value"].astype(np.float64), g["days"].astype(np.float64), g["first_day"]
        occupied = g["occupation_state"] == 0
        freed = yes["freed?"] & (g["freed"] != 0)
        slow = (yes["industrial?"] & g["industrial"].view(np.bool_)).astype(np.int32)
        slow *= DAYS
        slow -= EARLIEST
        over = day >= self.after.take(slow + g["empty_since"])
        valued = value >= f.empty_from
        part = occupied & yes["occupied_value?"]
        if part.any():
            part &= freed | ~valued | (day < self.after.take(slow + g["part_empty_since"]))
        charged = np.where(part, g["occupied_value"], value)
        due = occupied | (~freed & valued & over)
        who = np.where(yes["ratepayer_kind?"], g["ratepayer_kind"], 0)
        in_london = yes["in_greater_london?"] & g["in_greater_london"].view(np.bool_)

        use = g["rating_use"]
        alone = g["others_greatest_value"] <= f.left_out
        alone &= charged + g["others_total_value"] <= np.where(in_london, f.together_london, f.together)
        alone |= ~yes["others_occupied?"]
        alone |= g["others_occupied"] == 0
        taper = occupied & yes["small_business_claimed?"] & g["small_business_claimed"].view(np.bool_) & alone & (charged <= f.taper_to)
        begun = charged if starts is None else np.repeat(charged[starts[:-1]], np.diff(starts))
        nothing = yes["rural_kind?"] & (begun <= self.limits.take(g["rural_kind"]))
        nothing |= (use == 9) | (use == 10)
        nothing &= occupied
        charity = occupied & ((who == 1) | (who == 2)) & (use != 14) & ~nothing
        taper &= ~(nothing | charity)

        rate = np.where(charged <= f.small_limit, f.small, f.standard)
        full = value * rate
        full *= length
        gross = full * due
        before, start = (
            g["value_before"] * yes["value_before?"].astype(np.float64),
            g["value_at_start"] * yes["value_before?"].astype(np.float64),
        )
        size = (start > np.where(in_london, f.size_small_london, f.size_small)).astype(np.int8)
        size += start > f.size_medium
        upper = np.maximum(before, start)
        upper *= 10_000
        base = before
        base *= f.small
        base *= self.caps[0].take(size)
        one = np.minimum(upper, _floored(base, 5.5, 0.1))
        one *= self.caps[1].take(size)
        two = np.minimum(upper, _floored(one, 50.5, 0.01))
        three = two * self.caps[2].take(size)
        three = np.minimum(upper, _floored(three, 50.5, 0.01))
        limited = start * (f.small * 10) > np.maximum(two, three)
        limited &= due & ~nothing
        transition = gross * 10
        at = np.flatnonzero(limited)
        if at.size:
            own, began = value[at], start[at]
            limit = _proportion(three[at], np.minimum(own, began), began)
            limit += np.maximum(own - began, 0.0) * (f.small * 10)
            limit *= length[at]
            transition[at] = limit + own * (rate[at] - f.small) * 10 * length[at]
        left = _quotient(transition * 20, f.year, 2 * f.year)
        at = np.flatnonzero(part)
        if at.size:
            left[at] = _proportion(transition[at], charged[at], np.maximum(value[at], 1.0) * f.year) * 10

        mandatory = left.copy()
        mandatory[nothing] = 0.0
        at = np.flatnonzero(charity | taper)
        if at.size:
            worth = charged[at]
            above = np.maximum(worth - f.subtracted, 1.0)
            divisor = np.ceil((2000 * f.divided - above) / (2 * above))
            divisor[worth <= f.full_to] = f.full_divisor
            divisor[charity[at]] = f.charity
            mandatory[at] = np.floor((2000 * left[at] + divisor) / (2 * divisor))
        rest = mandatory.copy()
        at = np.flatnonzero(occupied & yes["supported_by?"] & (g["supported_by"] == 2) & (who == 0))
        if at.size:
            allowed = (g["supported_base"][at] + f.steps) * 1000 * length[at]
            rest[at] -= np.maximum(np.floor((2 * (mandatory[at] * f.year - allowed) + f.year) / (2 * f.year)), 0.0)
        relief = self.relieved.take(use)
        relief *= occupied & due & (who != 3) & ~(yes["retail_relief_refused?"] & g["retail_relief_refused"].view(np.bool_))
        relief *= 2
        relief *= rest
        retail = _floored(relief, 100.5, 0.005)
        return [full, gross, transition, left, mandatory, rest, retail]


def _floored(amount: Doubles, more: float, by: float) -> Doubles:
    amount += more
    amount *= by
    return np.floor(amount, out=amount)


def _quotient(amount: Doubles, more: float, by: float) -> Doubles:
    amount += more
    amount /= by
    return np.floor(amount, out=amount)


def _pence(amount: Doubles, whole: float) -> Doubles:
    return _quotient(2 * amount, whole + 0.5, 2 * whole)


def _proportion(a: Doubles, b: Doubles, c: Doubles) -> Doubles:
    """a * b / c to the nearest whole number, half up; the product may be beyond a double, so that its remainder is looked at."""
    near, whole = (a * b / c).astype(np.int64), c.astype(np.int64)
    over = 2 * (a.astype(np.int64) * b.astype(np.int64) - near * whole)
    near += over >= whole
    near -= over < -whole
    return near.astype(np.float64)
