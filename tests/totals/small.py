"""A handful of accounts as CSV files, for tests that work a caseload out without machine code."""

from __future__ import annotations

from pathlib import Path

ACCOUNTS = """account,dwelling,from,to
whole,d1,2020-04-01,
one_adult,d2,2020-04-01,
reduced_band,d3,2020-04-01,
exempt,d4,2020-04-01,
half_year,d5,2026-10-01,
pensioner,d6,2020-04-01,
partly,d7,2020-04-01,
working_age,d8,2020-04-01,
gone,d9,2020-04-01,2026-02-28
follows,d9,2026-03-01,
"""
DWELLINGS = """dwelling,from,band,area,recorded_adults,disabled_reduction,exemption
d1,2000-01-01,D,whole,2,,
d2,2000-01-01,C,whole,1,,
d3,2000-01-01,A,whole,1,yes,
d4,2000-01-01,D,whole,0,,M
d5,2000-01-01,D,whole,2,,
d6,2000-01-01,C,whole,2,,
d7,2000-01-01,B,whole,2,,
d8,2000-01-01,D,whole,2,,
d9,2000-01-01,D,whole,2,,
"""
CLAIMS = """claim,account,from,capital
c6,pensioner,2020-04-01,1000
c7,partly,2020-04-01,1000
c8,working_age,2020-04-01,1000
"""
HOUSEHOLD = """claim,person,from,role,born,passport
c6,p6,2020-04-01,applicant,1945-01-01,guarantee_credit
c7,p7,2020-04-01,applicant,1945-01-01,
c8,p8,2020-04-01,applicant,1990-01-01,
"""
INCOMES = """person,from,to,income_kind,frequency,amount
p6,2020-04-01,,state_pension,weekly,100.00
p7,2020-04-01,,state_pension,four_weekly,921.00
p7,2020-04-01,,occupational_pension,monthly,100.00
p7,2020-04-01,2026-01-31,annuity,weekly,10.00
p8,2020-04-01,,jsa_contribution_based,weekly,92.05
p8,2020-04-01,,pip_daily_living,weekly,76.70
p8,2020-04-01,,employed_earnings,weekly,100.00
p8,2026-04-06,,pip_mobility,weekly,30.30
p8,2020-04-01,,child_benefit,weekly,26.05
"""


def written(folder: Path) -> Path:
    """The folder with the tables of the caseload."""
    folder.mkdir()
    tables = {"accounts": ACCOUNTS, "dwellings": DWELLINGS, "claims": CLAIMS, "household": HOUSEHOLD, "incomes": INCOMES}
    for name, text in tables.items():
        (folder / f"{name}.csv").write_text(text, encoding="utf-8")
    return folder
