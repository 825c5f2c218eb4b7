"""rbcalc purge."""

from __future__ import annotations

from typing import Annotated

import typer

from rbcalc_cli.options import say
from rbcalc_cli.output import put


def command(
    list_files: Annotated[bool, typer.Option("--list", help="Print every file that was removed.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the receipt as JSON.")] = False,
) -> None:
    """Remove working files and caches, with a receipt.

    Working copies of a caseload hold personal data. Each command removes its own; what a command that was killed left behind,
    and the caches, go here. Results that you asked to be written somewhere are left alone.

    Examples:
      rbcalc purge
      rbcalc purge --json
    """
    from rbcalc.caseload.purge import purge

    receipt = purge()
    if as_json:
        from rbcalc_cli.output import document

        removed = [{"path": item.path, "bytes": item.size} for item in receipt.removed]
        when = receipt.when.isoformat(timespec="seconds")
        document(
            {
                "when": when,
                "files": receipt.files,
                "bytes": receipt.size,
                "sha256": receipt.digest,
                "removed": removed,
                "in_use": list(receipt.in_use),
            }
        )
        return
    for item in receipt.removed if list_files else ():
        put(f"{item.size:>12,}  {item.path}")
    put(receipt)
    if not receipt.files:
        say("there was nothing to remove")
