import sys
from datetime import date
from pathlib import Path

from rbcalc_kernels.program.library import Library
from rbcalc_kernels.program.linking import link
from rbcalc_kernels.source import RulesError, render

# usage: python -m rbcalc_kernels.program.check YEAR [file or folder of one council ...]   (no council: statute alone)
root = Path("rules")
library = Library(root)
year = int(sys.argv[1])
epoch = date(1970, 1, 1).toordinal()
paths = library.named("england")
for argument in sys.argv[2:]:
    place = Path(argument)
    paths += (
        [place]
        if place.is_file()
        else [p for p in sorted(place.rglob("*.yaml")) if "cases" not in p.name and p.name not in ("council.yaml", "profile.yaml")]
    )
try:
    linked = link(
        library, paths, date(year, 4, 1).toordinal() - epoch, date(year + 1, 3, 31).toordinal() - epoch, complete=len(sys.argv) > 2
    )
    print(render(linked.findings.warnings, library.texts(linked.findings)))
    print(len(linked.program.rules), "rules; provisional:", *linked.program.provisional)
except RulesError as error:
    print(error)
