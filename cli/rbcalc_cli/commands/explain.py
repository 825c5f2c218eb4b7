"""rbcalc explain."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rbcalc_cli.asking import check_tables
from rbcalc_cli.options import (
    CaseloadOption,
    ChargesOption,
    CouncilOption,
    MapOption,
    PartnershipOption,
    RulesOption,
    SubjectOption,
    YearOption,
    program_of,
    rules_of,
    say,
    within,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rbcalc.explaining.explain import Explanation
    from rbcalc.rulebook.cases import CaseReader, Example
    from rbcalc.rulebook.rules import Rules
    from rbcalc_kernels.program.graph import Program


class Form(StrEnum):
    """How an account is printed."""

    TEXT = "text"
    JSON = "json"
    HTML = "html"
    MARKDOWN = "markdown"


@dataclass(frozen=True, slots=True)
class Asked:
    """Which account was asked for, and by which rules."""

    rules: Rules
    caseload: Path | None
    account: str | None
    case: Path | None
    name: str | None
    council: str | None
    partnership: str | None
    year: str | None
    charges: Path | None
    column_map: Path | None
    everything: bool
    against_caseload: Path | None = None
    claim: str | None = None


AccountArgument = Annotated[
    str | None, typer.Argument(metavar="[ACCOUNT]", help="The account of the caseload, by its reference.", show_default=False)
]
CaseOption = Annotated[Path | None, typer.Option("--case", metavar="FILE", help="A case file instead of a caseload.", show_default=False)]
NameOption = Annotated[
    str | None, typer.Option("--name", metavar="CASE", help="The case of the file.  [default: the first]", show_default=False)
]
ValueOption = Annotated[
    str | None, typer.Option("--value", metavar="NAME", help="One value only, with all that it was made of.", show_default=False)
]
FormOption = Annotated[
    Form | None,
    typer.Option("--format", help="Text, or JSON with every rule's value; for letters HTML or Markdown.", show_default=False),
]
EverythingOption = Annotated[bool, typer.Option("--all", help="Also the steps that come to nought and change nothing.")]

ChangedFromOption = Annotated[
    str | None, typer.Option("--changed-from", metavar="DATE", help="Why the award changed since this day.", show_default=False)
]
ChangedToOption = Annotated[str | None, typer.Option("--to", metavar="DATE", help="The later day of such a change.", show_default=False)]
AgainstOption = Annotated[
    str | None,
    typer.Option("--against", metavar="YEAR", help="Why the award, or the bill, differs from that of another year.", show_default=False),
]
AgainstRulesOption = Annotated[
    Path | None, typer.Option("--against-rules", metavar="DIR", help="Why the award differs from that by other rules.", show_default=False)
]
AgainstCaseloadOption = Annotated[
    Path | None,
    typer.Option("--against-caseload", metavar="DIR", help="The caseload of that year, where it is another.", show_default=False),
]

LetterOption = Annotated[bool, typer.Option("--letter", help="Write the notice of the decision.")]
WhichOption = Annotated[
    str | None, typer.Option("--which", metavar="LETTER", help="Which letter, where there are several.", show_default=False)
]
AllAccountsOption = Annotated[bool, typer.Option("--all-accounts", help="A letter for each account of the caseload, into --out.")]
AccountsOption = Annotated[
    Path | None,
    typer.Option("--accounts", metavar="FILE", help="A letter for each account named in a file, one a line.", show_default=False),
]
ClaimOption = Annotated[
    str | None,
    typer.Option(
        "--claim", metavar="CLAIM", help="Of several claims on the account, the one that a letter or a change is about.", show_default=False
    ),
]
TemplateOption = Annotated[
    Path | None, typer.Option("--template", metavar="FILE", help="A template of your own for the letter.", show_default=False)
]
DatedOption = Annotated[str | None, typer.Option("--dated", metavar="DATE", help="The date of the letter.", show_default=False)]
OutOption = Annotated[
    Path | None, typer.Option("--out", metavar="FILE", help="Where to write letters.  [default: standard output]", show_default=False)
]


def command(
    account: AccountArgument = None,
    caseload: CaseloadOption = None,
    case: CaseOption = None,
    name: NameOption = None,
    value: ValueOption = None,
    council: CouncilOption = None,
    partnership: PartnershipOption = None,
    year: YearOption = None,
    subject: SubjectOption = None,
    charges: ChargesOption = None,
    column_map: MapOption = None,
    rules: RulesOption = None,
    form: FormOption = None,
    everything: EverythingOption = False,
    changed_from: ChangedFromOption = None,
    changed_to: ChangedToOption = None,
    against: AgainstOption = None,
    against_rules: AgainstRulesOption = None,
    against_caseload: AgainstCaseloadOption = None,
    letter: LetterOption = False,
    which: WhichOption = None,
    claim: ClaimOption = None,
    all_accounts: AllAccountsOption = False,
    accounts: AccountsOption = None,
    template: TemplateOption = None,
    dated: DatedOption = None,
    out: OutOption = None,
) -> None:
    """Explain one account, as a person would work it on paper.

    What was awarded and what decided it, the facts, each step with its figures, its reason and its paragraph, then the totals. The
    account is one of the caseload (ACCOUNT --caseload DIR), or a case of a case file, so that one household can be tried without a
    caseload. --letter writes what the person it concerns is told.

    Examples:
      rbcalc explain --case {cases} --name {case}
      rbcalc explain --case {cases} --name {case} --value bill   # one value as a tree
    """
    loaded = rules_of(rules, subject)
    asked = Asked(
        loaded, caseload, account, case, name, council, partnership, year, charges, column_map, everything, against_caseload, claim
    )
    if letter or all_accounts or accounts is not None:
        from rbcalc_cli import letters

        wanted = letters.Wanted((form or Form.HTML).value, template, dated, out, which)
        letters.write(asked, wanted, all_accounts=all_accounts, listed=accounts)
        return
    if form in (Form.HTML, Form.MARKDOWN):
        from rbcalc.errors import UsageError

        raise UsageError("RC046", f"only a letter is written as {form}", hint="add --letter, or take --format text or --format json")
    if changed_from is not None or changed_to is not None or against is not None or against_rules is not None:
        from rbcalc_cli import changing

        changing.show(asked, changed_from, changed_to, against, against_rules, as_json=form is Form.JSON)
        return
    _tell(_case(asked, asked.case) if asked.case is not None else _account(asked), value, as_json=form is Form.JSON)


def _tell(told: Explanation, value: str | None, *, as_json: bool) -> None:
    """Print the account, or one value of it as a tree."""
    from rbcalc_cli import explaining

    if as_json:
        explaining.as_json(told, value)
    elif value is not None:
        explaining.as_tree(told, value)
    else:
        explaining.as_text(told)
    if told.provisional:
        say("some figures are provisional; the account names them")


def _case(asked: Asked, path: Path) -> Explanation:
    from rbcalc.explaining.explain import explain_example
    from rbcalc.rulebook.cases import CaseReader

    rules = asked.rules
    found = the_case(CaseReader(rules), within(rules.library.root, path), asked.name)
    title = rules.council(found.program.name).title if found.program.name in rules.council_names else ""
    return explain_example(found, title, everything=asked.everything)


def the_case(reader: CaseReader, path: Path, name: str | None) -> Example:
    """A case of a case file; without a name the first.  Raises UsageError."""
    from rbcalc.errors import UsageError
    from rbcalc_kernels.source import suggest

    if path.is_dir():
        raise IsADirectoryError(21, "is a folder", str(path))
    examples = reader.read(path)
    found = next((example for example in examples if name is None or example.name == name), None)
    if found is None:
        names = [example.name for example in examples]
        raise UsageError(
            "RC046", f"{path} has no case called {name}{suggest(name or '', names)}", hint=f"its cases: {'; '.join(names[:20]) or 'none'}"
        )
    if name is None and len(examples) > 1:
        say(f"the first of {len(examples)} cases; --name chooses another")
    return found


def _account(asked: Asked) -> Explanation:
    from rbcalc.explaining.explain import explain_account

    caseload, account = which_account(asked)
    programs, titles = programs_of(asked.rules, asked.council, asked.partnership, asked.year, asked.charges)
    return explain_account(caseload, programs, account, titles=titles, column_map=asked.column_map, everything=asked.everything)


def which_account(asked: Asked) -> tuple[Path, str]:
    """The caseload and the account that were asked for.  Raises UsageError where either was not."""
    from rbcalc.errors import UsageError

    if asked.caseload is None or asked.account is None:
        question = "which caseload?" if asked.account is not None else "which account?"
        raise UsageError("RC048", question, hint="give ACCOUNT --caseload DIR, or a case file with --case FILE")
    check_tables(asked.caseload)
    return asked.caseload, asked.account


def programs_of(
    rules: Rules, council: str | None, partnership: str | None, year: str | None, charges: Path | None, more: Sequence[Path] = ()
) -> tuple[dict[str, Program], dict[str, str]]:
    """The programs of the councils that were asked for, with `more` files laid over them, and the councils' titles."""
    own = [*([charges] if charges else []), *more]
    if partnership is not None and council is None:
        together = rules.partnership(partnership)
        members = together.councils(year or together.default_year)
        programs = {member.name: member.program(year or together.default_year, own=own) for member in members}
        return programs, {member.name: member.title for member in members}
    found, when, program = program_of(rules, council, year, charges)
    return {found.name: found.program(when, own=own) if more else program}, {found.name: found.title}
