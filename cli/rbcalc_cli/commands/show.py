"""rbcalc show."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from rbcalc_cli.options import ChargesOption, CouncilOption, RulesOption, SubjectOption, YearOption


class What(StrEnum):
    """What to show."""

    COUNCILS = "councils"
    PARTNERSHIPS = "partnerships"
    SCHEME = "scheme"
    RATES = "rates"
    PARAMETERS = "parameters"
    RULES = "rules"
    RULE = "rule"
    GRAPH = "graph"
    INPUTS = "inputs"
    PROVISIONAL = "provisional"
    DIFF = "diff"
    AMOUNTS = "amounts"
    SIGN_OFF = "sign-off"
    PYTHON = "python"


class Form(StrEnum):
    """How it is printed."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"
    MARKDOWN = "markdown"
    HTML = "html"


WhatArgument = Annotated[What | None, typer.Argument(help="What to show.", show_default=False)]
NamesArgument = Annotated[
    list[str] | None,
    typer.Argument(
        help="The rule, for `rule` and `graph`; the two years or councils, for `diff`; the booklet, for `scheme`.", show_default=False
    ),
]
FormOption = Annotated[Form, typer.Option("--format", help="How to print it; HTML for schemes.")]
AgainstOption = Annotated[
    str | None, typer.Option("--against", metavar="YEAR", help="For sign-off: the year to compare with.", show_default=False)
]
RecordOption = Annotated[
    Path | None, typer.Option("--record", metavar="FILE", help="For sign-off: write the record of what is signed.", show_default=False)
]
HoldsOption = Annotated[
    Path | None, typer.Option("--holds", metavar="FILE", help="For sign-off: say whether a record still holds.", show_default=False)
]
OutputsOption = Annotated[
    str | None, typer.Option("--outputs", metavar="NAMES", help="For python: the values wanted, with commas.", show_default=False)
]
SchemeOption = Annotated[bool, typer.Option("--scheme", help="For diff: only what the scheme uses, in words.")]
DotOption = Annotated[bool, typer.Option("--dot", help="For graph: print it for Graphviz.")]
SignOffOption = Annotated[bool, typer.Option("--sign-off", help="The same as `show sign-off`.")]
PythonOption = Annotated[bool, typer.Option("--python", help="The same as `show python`.")]


def command(
    what: WhatArgument = None,
    names: NamesArgument = None,
    council: CouncilOption = None,
    year: YearOption = None,
    subject: SubjectOption = None,
    charges: ChargesOption = None,
    rules: RulesOption = None,
    form: FormOption = Form.TABLE,
    against: AgainstOption = None,
    record: RecordOption = None,
    holds: HoldsOption = None,
    outputs: OutputsOption = None,
    scheme: SchemeOption = False,
    dot: DotOption = False,
    sign_off: SignOffOption = False,
    python: PythonOption = False,
) -> None:
    """Show figures, rules, differences, and a sheet for sign-off.

    `councils`, `partnerships`: who there is. `scheme`: a council's scheme as a booklet: what it decided, each step, the sources;
    `scheme pension_age`: the scheme that the law prescribes for every council. `rates` (or `parameters`): every figure of a council and
    year with its source. `rules`, `rule NAME`: what rules there are, and the text of one. `graph NAME`: what a rule reads. `inputs`:
    the facts that are asked for. `provisional`: what is not confirmed. `diff A B`: what changed between two years or two councils; with
    `--scheme` in words, what the scheme uses alone. `amounts`: the amounts of the year with the change since last year, as a bill shows
    them. `sign-off`: figures to be signed for. `python`: the generated source.

    Examples:
      rbcalc show councils
      rbcalc show scheme pension_age --year {year} --format html
      rbcalc show rates --council {council} --year {year} --format csv
      rbcalc show rule bill --council {council} --year {year}
      rbcalc show diff {earlier_year} {year} --council {council}
    """
    from rbcalc.errors import UsageError
    from rbcalc_cli.views import Asked, Views

    if sign_off or python:
        if what is not None:
            raise UsageError("RC049", f"either --{'sign-off' if sign_off else 'python'} or {what}, not both", hint="leave one of them out")
        what = What.SIGN_OFF if sign_off else What.PYTHON
    if what is None:
        raise UsageError("RC049", "show what?", hint=f"one of {', '.join(What)}")
    if scheme and what is not What.DIFF:
        raise UsageError("RC049", f"--scheme is for diff, not for {what}", hint="rbcalc show scheme prints one scheme")
    if form is Form.HTML and what is not What.SCHEME and not scheme:
        raise UsageError("RC049", f"{what} has no HTML", hint="--format table, csv, json or markdown; scheme and diff --scheme have HTML")
    asked = Asked(council, year, charges, rules, str(form), against, record, holds, outputs, dot, tuple(names or ()), scheme, subject)
    code = Views(asked).show(str(what))
    if code:
        raise typer.Exit(code)
