"""What is said of accounts that are rejected for their records."""

from __future__ import annotations

import rbcalc
from rbcalc.running.run import REASONS, said_of


def test_of_two_records_of_one_claim_it_is_said_what_to_do() -> None:
    program = rbcalc.load().council("stevenage").program("2026-27")
    words, remedy = said_of(program, "overlap", "claims")
    assert words == "a day on which two records are in force"
    assert remedy == "end the earlier record of the claim the day before the later one begins; somebody else's has a claim of its own"
    assert said_of(program, "overlap", "dwellings") == REASONS["overlap"]
    assert said_of(program, "overlap", "household") == REASONS["overlap"]


def test_of_two_claims_for_one_home_it_is_said_what_to_do() -> None:
    program = rbcalc.load().council("stevenage").of("housing_benefit").program("2026-27")
    words, remedy = said_of(program, "overlap", "claims")
    assert words == "a day on which two records are in force"
    assert remedy == "end one claim the day before the other begins; if both hold, give each a row of its own in tenancies"
