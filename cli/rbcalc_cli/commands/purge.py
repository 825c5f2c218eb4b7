"""rbcalc purge."""

from __future__ import annotations

from typing import Annotated

import typer

from rbcalc_cli.options import Format, FormatOption, say
from rbcalc_cli.output import put


def command(
    list_files: Annotated[bool, typer.Option("--list", help="Print every file that was removed.")] = False,
    form: FormatOption = Format.TABLE,
) -> None:
    """Remove working files and caches, with a receipt.

    Working copies of a caseload hold personal data. Each command removes its own; what a command that was killed left behind,
    and the caches, go here. Results that you asked to be written somewhere are left alone.

    Examples:
      rbcalc purge
      rbcalc purge --format json
    """
    from rbcalc.caseload.purge import purge

    receipt = purge()
    if form is Format.JSON:
        from rbcalc_cli.output import document

        removed = [{"path": item.path, "bytes": item.size} for item in receipt.removed]
        total = {"files": receipt.files, "bytes": receipt.size, "sha256": receipt.digest}
        when = receipt.when.isoformat(timespec="seconds")
        document({"when": when, **total, "removed": removed, "in_use": list(receipt.in_use)})
    elif form is Format.CSV:
        from rbcalc_cli.output import table

        table("", ("Path", "Bytes"), [(item.path, str(item.size)) for item in receipt.removed], form)
    else:
        for item in receipt.removed if list_files else ():
            put(f"{item.size:>12,}  {item.path}")
        put(receipt)
    if not receipt.files:
        say("there was nothing to remove")
