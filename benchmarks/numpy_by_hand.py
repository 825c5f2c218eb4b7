"""The bill and the reduction of work/bill written out for NumPy, over blocks that stay in the cache."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import numpy.typing as npt

from benchmarks.by_hand import Constants

BLOCK = 16_384


class Blocked:
    """What both ways share."""

    def __init__(self, constants: Constants) -> None:
        self.c = constants

    def block(self, g: SimpleNamespace, first: int, last: int, out: npt.NDArray[np.int32]) -> None:
        """Some rows."""
        raise NotImplementedError

    def run(self, g: SimpleNamespace, first: int, last: int, out: npt.NDArray[np.int32]) -> None:
        """Many rows, block by block."""
        for begin in range(first, last, BLOCK):
            self.block(g, begin, min(begin + BLOCK, last), out)


class Doubles(Blocked):
    """Whole numbers in doubles, as one would write it with care: operations in place, a reciprocal for each division, tables by `take`."""

    def __init__(self, constants: Constants) -> None:
        super().__init__(constants)
        self.amounts = constants.amounts.reshape(-1).astype(np.float64)
        self.deductions = constants.deductions * float(constants.whole)
        self.share = np.full(41, 100.0)  # by adults less those not counting, from -20 on
        self.share[:21], self.share[21] = constants.no_adult, constants.one_adult

    def block(self, g: SimpleNamespace, first: int, last: int, out: npt.NDArray[np.int32]) -> None:
        """Some rows."""
        c, rows = self.c, slice(first, last)
        days, capital, passported = g.days[rows].astype(np.float64), g.capital[rows], g.passported[rows].view(np.bool_)
        place = g.area[rows].astype(np.int16)
        place *= 9
        place += g.band[rows]
        place += 1
        place -= g.adapted[rows]
        annual = self.amounts.take(place)
        annual *= self.share.take(g.adults[rows] - g.not_counting[rows] + 20)
        charge = annual * days
        charge += c.whole / 2 + 0.5
        charge *= 1.0 / c.whole
        np.floor(charge, out=charge)

        excess = np.maximum(capital - float(c.capital_ignored), 0.0)
        excess += c.capital_step - 0.5
        excess *= 1.0 / c.capital_step
        np.floor(excess, out=excess)
        excess *= c.income_for_step
        excess += g.income[rows]
        excess -= np.where(g.couple[rows].view(np.bool_), float(c.for_couple), float(c.for_single))
        excess -= g.children[rows] * float(c.for_child)
        excess -= g.severe_disability[rows] * float(c.for_severe_disability)
        excess -= g.carers[rows] * float(c.for_carer)
        np.maximum(excess, 0.0, out=excess)
        excess[passported] = 0.0

        annual *= 7.0
        annual -= self.deductions.take(g.first_other[rows])
        annual -= self.deductions.take(g.second_other[rows])
        excess *= c.days * c.taper
        annual -= excess
        np.maximum(annual, 0.0, out=annual)
        annual[(capital > c.capital_limit) & ~passported] = 0.0
        annual *= days
        annual += c.whole * 7 / 2 + 0.5
        annual *= 1.0 / (c.whole * 7)
        np.floor(annual, out=annual)
        np.minimum(annual, charge, out=annual)
        out[0, rows] = charge
        out[1, rows] = annual
        np.subtract(out[0, rows], out[1, rows], out=out[2, rows])


class Narrow(Blocked):
    """The quickest that was found: 32 bits for what is not multiplied, one table for all that a household needs, and not one new array.

    What stands between is written over again in each block, so that a thread needs an object of its own.
    """

    def __init__(self, constants: Constants) -> None:
        super().__init__(constants)
        self.amounts = constants.amounts.reshape(-1)
        # By adults less those not counting, of which those below 0 stand at the end, as NumPy counts places.
        self.share = np.full(256, 100, dtype=np.float64)
        self.share[0], self.share[1], self.share[-20:] = constants.no_adult, constants.one_adult, constants.no_adult
        deductions = constants.deductions.astype(np.float64)
        self.deductions = ((deductions[:, None] + deductions) * constants.whole).reshape(-1)
        # What a household needs: by additions of both kinds and partner (18), then by children.
        small = np.arange(18, dtype=np.int32)
        needs = np.where(small % 2, constants.for_couple, constants.for_single)
        needs = needs + small // 2 % 3 * constants.for_severe_disability + small // 6 * constants.for_carer
        self.needs = (np.arange(21, dtype=np.int32)[:, None] * constants.for_child + needs).reshape(-1).astype(np.int32)
        self.place = np.empty(BLOCK, dtype=np.int16)
        self.small = np.empty(BLOCK, dtype=np.int8)
        self.pence = np.empty(BLOCK, dtype=np.int32)
        self.excess = np.empty(BLOCK, dtype=np.int32)
        self.annual = np.empty(BLOCK, dtype=np.float64)
        self.double = np.empty(BLOCK, dtype=np.float64)
        self.flags = np.empty(BLOCK, dtype=np.bool_)

    def block(self, g: SimpleNamespace, first: int, last: int, out: npt.NDArray[np.int32]) -> None:
        """Some rows."""
        c, rows, size = self.c, slice(first, last), last - first
        place, small, pence, excess = self.place[:size], self.small[:size], self.pence[:size], self.excess[:size]
        annual, double, flags = self.annual[:size], self.double[:size], self.flags[:size]
        charge, reduction, to_pay = out[0, rows], out[1, rows], out[2, rows]
        days, capital, passported = g.days[rows], g.capital[rows], g.passported[rows].view(np.bool_)

        np.multiply(g.area[rows], 9, out=place, dtype=np.int16)
        place += g.band[rows]
        place += 1
        place -= g.adapted[rows]
        self.amounts.take(place, out=pence, mode="wrap")
        np.subtract(g.adults[rows], g.not_counting[rows], out=small)
        self.share.take(small, out=annual, mode="wrap")
        annual *= pence
        np.multiply(annual, days, out=double)
        double += c.whole / 2 + 0.5
        double *= 1.0 / c.whole
        np.copyto(charge, double, casting="unsafe")

        np.subtract(capital, c.capital_ignored, out=excess)
        np.maximum(excess, 0, out=excess)
        np.add(excess, c.capital_step - 0.5, out=double)
        double *= 1.0 / c.capital_step
        np.copyto(excess, double, casting="unsafe")
        excess *= c.income_for_step
        excess += g.income[rows]
        np.multiply(g.children[rows], 3, out=place, dtype=np.int16)
        place += g.carers[rows]
        place *= 3
        place += g.severe_disability[rows]
        place *= 2
        place += g.couple[rows]
        self.needs.take(place, out=pence, mode="wrap")
        excess -= pence
        np.maximum(excess, 0, out=excess)
        np.logical_not(passported, out=flags)
        excess *= flags

        annual *= 7.0
        np.multiply(g.first_other[rows], np.int8(6), out=small)
        small += g.second_other[rows]
        self.deductions.take(small, out=double, mode="wrap")
        annual -= double
        np.multiply(excess, float(c.days * c.taper), out=double)
        annual -= double
        np.maximum(annual, 0.0, out=annual)
        annual *= days
        annual += c.whole * 7 / 2 + 0.5
        annual *= 1.0 / (c.whole * 7)
        np.copyto(reduction, annual, casting="unsafe")
        np.less_equal(capital, c.capital_limit, out=flags)
        flags |= passported
        reduction *= flags
        np.minimum(reduction, charge, out=reduction)
        np.subtract(charge, reduction, out=to_pay)
