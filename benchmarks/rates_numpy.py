"""Business rates of 2025-26 written out for NumPy, over blocks that stay in the cache: what `rates_kernel.c` says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np
import numpy.typing as npt

Doubles = npt.NDArray[np.float64]
BLOCK = 8_192
EARLIEST, DAYS = 3652, 47_847 - 3652
NAMES = (
    "small", "standard", "small_limit", "empty_from", "charity", "full_to", "taper_to", "divided", "subtracted", "full_divisor",
    "left_out", "together", "together_london", "size_small", "size_small_london", "size_medium", "film", "steps", "share", "cap", "year",
    "first", "grace_begins", "longer_from", "reset", "reset_later", "reset_from", "q_1", "q_2", "q_3",
)  # fmt: skip


class Blocked:
    """The work by blocks of ratepayers; amounts are doubles, and nothing is rounded before the pence."""

    def __init__(
        self,
        figures: Doubles,
        after: npt.NDArray[np.int32],
        columns: Mapping[str, npt.NDArray[Any]],
        own: Sequence[npt.NDArray[Any]],
        whose: npt.NDArray[np.int64],
        starts: npt.NDArray[np.int64],
    ) -> None:
        self.f = SimpleNamespace(**{name: float(figures[place]) for place, name in enumerate(NAMES)})
        place = len(NAMES)
        self.caps = np.ascontiguousarray(figures[place : place + 9].reshape(3, 3).T)
        self.limits, self.relieved = figures[place + 9 : place + 15], figures[place + 15 :]
        self.after, self.columns, self.own, self.whose, self.starts = after, columns, own, whose, starts

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
        rows = slice(int(own[0]), int(own[-1]))
        amounts = self.periods(low, high, starts if several else None)
        shares, topped, room, retail = amounts.pop(), amounts.pop(), amounts.pop(), amounts.pop()
        begin = starts[own[:-1] - own[0]]
        used = np.minimum(retail, f.cap)
        more = np.flatnonzero(np.diff(own) + several > 1)
        cap_left, cap_given, subsidy, subsidy_given, hardship, remitted = (column[rows] for column in self.own)
        told = cap_given | subsidy_given
        if more.size or told.any():
            limit = np.full(begin.size, f.cap)
            at = np.flatnonzero(told)
            if at.size:
                least = np.where(cap_given[at], cap_left[at] * 10_000.0, f.cap)
                least = np.minimum(least, np.where(subsidy_given[at], subsidy[at] * 10_000.0, f.cap))
                np.minimum.at(limit, np.searchsorted(own, at + own[0], side="right") - 1, least)
            # In the running sum of all, what a ratepayer had used before is what stood there when the ratepayer began.
            counted = np.rint(retail * 1000).astype(np.int64)
            running = np.cumsum(counted)
            many = np.diff(np.append(begin, retail.size))
            running -= np.repeat(running[begin] - counted[begin], many)
            limit = np.repeat(limit * 1000, many)
            used = (np.minimum(running, limit) - np.minimum(running - counted, limit)) / 1000
        after_retail = amounts[-1] - used
        taken = topped.copy()
        at = np.flatnonzero(shares)
        taken[at] += _shared((room - used)[at], shares[at])
        left = after_retail - np.minimum(after_retail, taken)
        amounts += [after_retail, left]
        if several:
            amounts = [np.add.reduceat(amount, starts[:-1]) for amount in amounts]
        owed = amounts[-1].copy()
        at = np.flatnonzero(remitted)
        owed[at] -= np.minimum(owed[at], hardship[at] * 10_000)  # in the order of days or not, the year's sum is the same
        amounts.append(owed)
        full, due, changed, left, mandatory, rest, funded, retail, before, bill = (_pence(amount) for amount in amounts)
        out[0, rows] = full
        out[1, rows] = full - due
        out[2, rows] = np.maximum(due - changed, 0.0)
        out[3, rows] = np.maximum(changed - due, 0.0)
        out[4, rows] = changed - left
        out[5, rows] = left - mandatory
        out[6, rows] = mandatory - rest
        out[7, rows] = rest - funded
        out[8, rows] = funded - retail
        out[9, rows] = retail - before
        out[10, rows] = before - bill
        out[11, rows] = bill

    def periods(self, low: int, high: int, starts: npt.NDArray[np.int64] | None) -> list[Doubles]:
        """The amounts of some periods after each step, relief for retail before the cap, what it is of, and the council's own."""
        f, g = self.f, {name: column[low:high] for name, column in self.columns.items()}
        yes = {name: column.view(np.bool_) for name, column in g.items() if name.endswith("?")}
        listed, length, day = g["rateable_value"].astype(np.float64), g["days"].astype(np.float64), g["first_day"]
        occupied = g["occupation_state"] == 0
        value = listed
        improved = occupied & yes["improvement_value?"]
        if improved.any():
            value = np.where(improved, np.maximum(listed - g["improvement_value"], 0.0), listed)
        freed = yes["freed?"] & (g["freed"] != 0)
        slow = (yes["industrial?"] & g["industrial"].view(np.bool_)).astype(np.int32)
        slow *= DAYS
        slow -= EARLIEST
        counted = np.where(yes["empty_since?"], g["empty_since"], EARLIEST)
        at = np.flatnonzero(yes["empty_before_since?"])
        if at.size:
            begins = g["short_occupation_from"][at]
            days = np.where(begins >= f.reset_from, f.reset_later, f.reset)
            ignored = g["short_occupation_to"][at] - begins + 1 < days
            at = at[ignored & yes["short_occupation_from?"][at] & yes["short_occupation_to?"][at]]
            counted[at] = g["empty_before_since"][at]
        over = day >= self.after.take(slow + counted)
        valued = listed >= f.empty_from
        part = occupied & yes["occupied_value?"]
        if part.any():
            part &= freed | ~valued | (day < self.after.take(slow + np.where(yes["part_empty_since?"], g["part_empty_since"], EARLIEST)))
        charged = np.where(part, g["occupied_value"], value)
        at = np.flatnonzero(part & improved)
        charged[at] = np.maximum(charged[at] - g["occupied_improvement_value"][at], 0)
        due = occupied | (~freed & valued & over)
        who = np.where(yes["ratepayer_kind?"], g["ratepayer_kind"], 0)
        in_london = yes["in_greater_london?"] & g["in_greater_london"].view(np.bool_)

        use = g["rating_use"]
        others = np.where(yes["others_occupied?"], g["others_occupied"], 0)
        greatest, together = g["others_greatest_value"], g["others_total_value"]
        at = np.flatnonzero((others > 0) & yes["additional_since?"])
        if at.size:
            taken, now = g["additional_since"][at], day[at]
            ends = self.after.take(np.where(taken < f.longer_from, 2, 3) * DAYS + taken - EARLIEST)
            at = at[(now < taken) | ((now >= np.maximum(taken, f.grace_begins)) & (now < ends))]
            others[at] -= 1
            greatest, together = greatest.copy(), together.copy()
            together[at] = np.maximum(together[at] - g["additional_value"][at], 0)
            hides = at[g["additional_value"][at] >= greatest[at]]
            greatest[hides] = np.where(yes["others_greatest_before?"][hides], g["others_greatest_before"][hides], together[hides])
        alone = greatest <= f.left_out
        alone &= charged + together <= np.where(in_london, f.together_london, f.together)
        alone |= others == 0
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
        full *= 1000
        full /= f.year
        gross = full * due
        before, start = (
            g["value_before"] * yes["value_before?"].astype(np.float64),
            g["value_at_start"] * yes["value_before?"].astype(np.float64),
        )
        size = (start > np.where(in_london, f.size_small_london, f.size_small)).astype(np.int8)
        size += start > f.size_medium
        upper = np.maximum(before, start)
        upper *= 1_000_000
        base = before
        base *= f.small * 1000
        base *= self.caps[0].take(size)
        base *= f.q_1 / 100_000
        one = np.minimum(upper, base)
        one *= self.caps[1].take(size)
        one *= f.q_2 / 100_000
        two = np.minimum(upper, one)
        three = two * self.caps[2].take(size)
        three *= f.q_3 / 100_000
        three = np.minimum(upper, three)
        limited = start * (f.small * 1000) > np.maximum(two, three)
        limited &= due & ~nothing
        transition = gross.copy()
        at = np.flatnonzero(limited)
        if at.size:
            own, began = value[at], start[at]
            limit = three[at] + np.maximum(own - began, 0.0) * (f.small * 1000)
            fell = np.flatnonzero(own < began)
            limit[fell] = three[at[fell]] * own[fell] / began[fell]
            limit += own * (rate[at] - f.small) * 1000
            limit *= length[at]
            transition[at] = limit / f.year
        left = transition.copy()
        at = np.flatnonzero(part)
        if at.size:
            left[at] = transition[at] * np.minimum(charged, value)[at] / np.maximum(value[at], 1.0)

        mandatory = left.copy()
        mandatory[nothing] = 0.0
        at = np.flatnonzero(charity | taper)
        if at.size:
            worth = charged[at]
            above = np.maximum(worth - f.subtracted, 1.0)
            divisor = np.ceil((2000 * f.divided - above) / (2 * above))
            divisor[worth <= f.full_to] = f.full_divisor
            divisor[charity[at]] = f.charity
            mandatory[at] = 1000 * left[at] / divisor
        rest = mandatory.copy()
        at = np.flatnonzero(occupied & yes["supported_by?"] & (g["supported_by"] == 2) & (who == 0))
        if at.size:
            allowed = np.where(yes["supported_limit?"][at], g["supported_limit"][at], g["supported_base"][at] + f.steps)
            allowed = allowed * 10_000 * length[at]
            rest[at] -= np.maximum(mandatory[at] - allowed / f.year, 0.0)
        allowed_own = due & (who != 3)
        topped = np.zeros_like(rest)
        at = np.flatnonzero(allowed_own & yes["top_up_share?"])
        topped[at] = _shared(rest[at], g["top_up_share"][at])
        room, funded = rest - topped, rest.copy()
        at = np.flatnonzero(allowed_own & (use == 8))
        if at.size:
            film = np.maximum(gross[at] * f.film / 100 - np.maximum(gross[at] - transition[at], 0.0), 0.0)
            some = np.flatnonzero(part[at])
            film[some] *= np.minimum(charged, value)[at[some]] / np.maximum(value[at[some]], 1.0)
            film = np.minimum(film, room[at])
            room[at] -= film
            funded[at] -= film
        relief = self.relieved.take(use)
        relief *= occupied & allowed_own & ~(yes["retail_relief_refused?"] & g["retail_relief_refused"].view(np.bool_))
        relief *= room
        retail = relief / 100
        shares = np.where(allowed_own & yes["discretionary_share?"], g["discretionary_share"], 0)
        return [full, gross, transition, left, mandatory, rest, funded, retail, room, topped, shares]


def _pence(amount: Doubles) -> Doubles:
    """What is a hundred-millionth of a pound below a half penny is that half, as in the rules."""
    return np.floor(amount / 10_000 + 0.500001)


def _shared(amount: Doubles, share: npt.NDArray[Any]) -> Doubles:
    """A share, in hundredths of a per cent."""
    return np.asarray(amount * share / 10_000, dtype=np.float64)
