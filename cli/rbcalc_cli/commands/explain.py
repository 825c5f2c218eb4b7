"""rbcalc explain."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rbcalc_cli.options import (
    ChargesOption,
    CouncilOption,
    PartnershipOption,
    RulesOption,
    YearOption,
    existing,
    program_of,
    rules_of,
    say,
    within,
)

if TYPE_CHECKING:
    from rbcalc._explain import Explanation
    from rbcalc._rules import Rules
from enum import StrEnum


class Form(StrEnum):
    """How an account is printed."""

    TEXT = "text"
    JSON = "json"


def command(
    caseload: Annotated[Path | None, typer.Argument(help="The folder of a caseload.", show_default=False)] = None,
    account: Annotated[
        str | None, typer.Option("--account", metavar="REF", help="The account, by its reference.", show_default=False)
    ] = None,
    case: Annotated[
        Path | None, typer.Option("--case", metavar="FILE", help="A case file instead of a caseload.", show_default=False)
    ] = None,
    name: Annotated[
        str | None, typer.Option("--name", metavar="CASE", help="The case of the file.  [default: the first]", show_default=False)
    ] = None,
    value: Annotated[
        str | None, typer.Option("--value", metavar="NAME", help="One value only, with all that it was made of.", show_default=False)
    ] = None,
    council: CouncilOption = None,
    partnership: PartnershipOption = None,
    year: YearOption = None,
    charges: ChargesOption = None,
    column_map: Annotated[
        Path | None, typer.Option("--map", metavar="FILE", help="A column map for the caseload's headers and codes.", show_default=False)
    ] = None,
    rules: RulesOption = None,
    form: Annotated[Form, typer.Option("--format", help="Text, or JSON with every rule's value.")] = Form.TEXT,
) -> None:
    """Explain one account, as a person would work it on paper.

    The facts, each step with its figures, its reason and its paragraph, then the totals. A case file lets one household be tried
    without a caseload.

    Examples:
      rbcalc explain --case {cases} --name {case}
      rbcalc explain --case {cases} --name {case} --value bill   # one value as a tree
    """
    loaded = rules_of(rules)
    if case is not None:
        told = _case(loaded, within(loaded.library.root, case), name)
    else:
        told = _account(loaded, caseload, account, council, partnership, year, charges, column_map)
    from rbcalc_cli import explaining

    if form is Form.JSON:
        explaining.as_json(told, value)
    elif value is not None:
        explaining.as_tree(told, value)
    else:
        explaining.as_text(told)
    if told.provisional:
        say("some figures are provisional; the account names them")


def _case(rules: Rules, path: Path, name: str | None) -> Explanation:
    from rbcalc._cases import CaseReader
    from rbcalc._explain import explain_example
    from rbcalc.errors import UsageError
    from rbcalc_kernels.source import suggest

    if path.is_dir():
        raise IsADirectoryError(21, "is a folder", str(path))
    examples = CaseReader(rules).read(path)
    found = next((example for example in examples if name is None or example.name == name), None)
    if found is None:
        names = [example.name for example in examples]
        raise UsageError(
            "RC046", f"{path} has no case called {name}{suggest(name or '', names)}", hint=f"its cases: {'; '.join(names[:20]) or 'none'}"
        )
    if name is None and len(examples) > 1:
        say(f"the first of {len(examples)} cases; --name chooses another")
    title = rules.council(found.program.name).title if found.program.name in rules.council_names else ""
    return explain_example(found, title)


def _account(
    rules: Rules,
    caseload: Path | None,
    account: str | None,
    council: str | None,
    partnership: str | None,
    year: str | None,
    charges: Path | None,
    column_map: Path | None,
) -> Explanation:
    from rbcalc._explain import explain_account
    from rbcalc.errors import UsageError

    if caseload is None or account is None:
        raise UsageError("RC048", "which account?", hint="give the folder of a caseload and --account REF, or a case file with --case FILE")
    existing(caseload, "folder")
    if partnership is not None and council is None:
        together = rules.partnership(partnership)
        members = together.councils(year or together.default_year)
        programs = {member.name: member.program(year or together.default_year, own=[charges] if charges else []) for member in members}
        titles = {member.name: member.title for member in members}
    else:
        found, _, program = program_of(rules, council, year, charges)
        programs, titles = {found.name: program}, {found.name: found.title}
    return explain_account(caseload, programs, account, titles=titles, column_map=column_map)
