"""What is said of accounts that are rejected for their records."""

from __future__ import annotations

import rbcalc
from rbcalc.running.run import REASONS, said_of


def test_of_two_claims_on_one_account_it_is_said_what_to_do() -> None:
    program = rbcalc.load().council("stevenage").program("2026-27")
    words, remedy = said_of(program, "overlap", "claims")
    assert words == "a day on which two records are in force"
    assert remedy.startswith("end one claim the day before the other begins; if both hold, keep one here")
    assert said_of(program, "overlap", "dwellings") == REASONS["overlap"]
    assert said_of(program, "overlap", "household") == REASONS["overlap"]
