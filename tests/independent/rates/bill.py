"""The bills of a ratepayer for a financial year: cash caps over all accounts, local relief, hardship, and instalments."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from fractions import Fraction

from independent.rates.account import ZERO, DayCharge, runs
from independent.rates.days import to_penny
from independent.rates.facts import Account, Ratepayer
from independent.rates.funded import ALL_CAP_2021, CASH_CAP, OPEN_CAP_2021, Uncapped, after_retail, discretion_first
from independent.rates.instalments import instalment_count, remaining, split


@dataclass
class Bill:
    """The exact lines of an account for a year, in pounds; only `bill` is rounded.

    `transition` is below nought where it is a relief and above where it holds a reduction back; `apportionment` is what
    s. 44A leaves out, and `reliefs` are amounts taken off.
    """

    reference: str
    gross: Fraction = ZERO
    transition: Fraction = ZERO
    supplement: Fraction = ZERO
    apportionment: Fraction = ZERO
    reliefs: dict[str, Fraction] = field(default_factory=dict)
    bill: Fraction = ZERO
    instalments: tuple[Fraction, ...] = ()
    days: int = 0

    def relieve(self, name: str, amount: Fraction) -> None:
        if amount:
            self.reliefs[name] = self.reliefs.get(name, ZERO) + amount

    @property
    def exact(self) -> Fraction:
        return self.gross + self.transition + self.supplement - self.apportionment - sum(self.reliefs.values(), ZERO)


class Caps:
    """What is left of each pot while the ratepayer's accounts are gone through."""

    def __init__(self, ratepayer: Ratepayer, year: int) -> None:
        room = ratepayer.subsidy_room

        def at_most(cap: int, *more: Fraction | None) -> Fraction:
            return min([Fraction(cap), *(Fraction(item) for item in (ratepayer.cash_cap_left, *more) if item is not None)])

        self.left = {"retail": at_most(CASH_CAP), "open": at_most(OPEN_CAP_2021), "nursery": at_most(OPEN_CAP_2021, room)}
        self.all_2021 = at_most(ALL_CAP_2021)
        self.room = None if room is None else Fraction(room)

    def give(self, offer: Uncapped, amount: Fraction) -> Fraction:
        """So much of what is offered as the pot and, for retail relief in any year, the room for subsidies still have."""
        given = self.take(offer.pot, amount)
        if self.room is None or offer.name != "retail":
            return given
        given = min(given, self.room)
        self.room -= given
        return given

    def take(self, pot: str | None, amount: Fraction) -> Fraction:
        """So much of the amount as the pot still has; in 2021-22 open premises draw on the pot for all premises too."""
        if pot is None:
            return amount
        if pot in {"open", "closed"}:
            given = min(amount, self.all_2021) if pot == "closed" else min(amount, self.all_2021, self.left["open"])
            self.all_2021 -= given
            if pot == "open":
                self.left["open"] -= given
            return given
        given = min(amount, self.left[pot])
        self.left[pot] -= given
        return given


Run = tuple[int, DayCharge]


def _given(ratepayer: Ratepayer, year: int, found: list[list[Run]]) -> list[list[Fraction]]:
    """Retail relief of each run after the caps, account by account and day by day."""
    caps = Caps(ratepayer, year)
    return [
        [ZERO if line.retail is None else caps.give(line.retail, days * line.retail.amount) for days, line in of_account]
        for of_account in found
    ]


def _account_bill(account: Account, year: int, found: Iterable[tuple[Run, Fraction]]) -> Bill:
    result = Bill(account.reference)
    fund = Fraction(account.additional_relief_award) if year == 2021 else ZERO
    for (days, line), given in found:
        result.days += days
        result.gross += days * line.gross
        result.transition += days * line.transition
        result.supplement += days * line.supplement
        result.apportionment += days * line.apportionment
        for name, amount in line.reliefs:
            result.relieve(name, days * amount)
        if line.retail is not None:
            result.relieve(line.retail.name, given)
        left = line.left - given / days
        pubs = after_retail(line.facts, left)
        result.relieve("public_house", days * pubs)
        additional = min(fund, days * (left - pubs))  # before what the authority gives at its own cost
        result.relieve("additional_relief", additional)
        fund -= additional
        if not line.facts.excepted and not discretion_first(line.facts):
            result.relieve("discretionary", (days * (left - pubs) - additional) * line.facts.occupation.discretionary_share)
    result.relieve("hardship", min(Fraction(account.hardship_remission), result.exact))
    result.bill = to_penny(result.exact)
    pence = int(result.bill * 100)
    if account.fallen_due is not None and account.instalments_left is not None:
        amounts = remaining(pence, int(Fraction(account.fallen_due) * 100), account.instalments_left)
    else:
        amounts = split(pence, instalment_count(account.notice_date, year, twelve=account.twelve_instalments))
    result.instalments = tuple(Fraction(amount, 100) for amount in amounts)
    return result


def bill(ratepayer: Ratepayer, year: int, *, day_by_day: bool = False) -> dict[str, Bill]:
    """The bill of every account by its reference; `day_by_day` works out each day alone instead of runs of like days."""
    found = [list(runs(account, year, day_by_day=day_by_day)) for account in ratepayer.accounts]
    given = _given(ratepayer, year, found)
    return {
        account.reference: _account_bill(account, year, zip(of_account, amounts, strict=True))
        for account, of_account, amounts in zip(ratepayer.accounts, found, given, strict=True)
    }
