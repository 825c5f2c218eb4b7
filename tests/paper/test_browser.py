"""The page in a real browser, with the network off: it asks for nothing, nothing is refused, and nothing runs over the edge."""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import ClassVar

import pytest

from paper.dressed import HOSTILE, Study
from rbcalc._years import FinancialYear
from rbcalc.papers.file import Declared
from rbcalc.papers.paper import composed, rendered
from rbcalc.papers.sections import Matter
from rbcalc.papers.tables import Figures
from rbcalc.papers.words import wording
from rbcalc.rulebook.rules import load

CHROMIUM = next((found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))), None)
PDF = shutil.which("pdftotext")
QUIET = (
    *("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync", "--disable-default-apps", "--disable-extensions", "--proxy-server=127.0.0.1:9"),
    *("--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1", "--enable-logging=stderr", "--virtual-time-budget=3000"),
)
HARNESS = """<!DOCTYPE html><title>waiting</title><body><iframe style="width:{width}px;height:600px;border:0" srcdoc="{page}"></iframe>
<script>addEventListener("load", () => {{
  const page = document.querySelector("iframe").contentDocument, root = page.documentElement;
  const over = [...page.querySelectorAll("body *")].filter(e => !e.closest(".scroll") && e.getBoundingClientRect().right > {width} + 1);
  const wide = over.map(e => e.tagName + "." + e.className), styled = getComputedStyle(page.querySelector("main")).maxWidth;
  document.body.dataset.found = JSON.stringify({{width: root.scrollWidth, wide, styled}});
}});</script></body>"""

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine to look at the page with")


@pytest.fixture(scope="module")
def page() -> str:
    made = Study(titles={"north": HOSTILE[5], "south": "w" * 300}, named=(HOSTILE[4], HOSTILE[9]), sizes={"north": 200, "south": 200})
    made.study.assumptions = HOSTILE
    worded = wording(load(), "council_tax_reduction", FinancialYear(2026))
    said = Declared(title=HOSTILE[6], background=HOSTILE)
    return rendered(composed(Matter(Figures.of(made.comparison, made.study), worded, said), command=HOSTILE[4]))


def browse(folder: Path, text: str, *arguments: str, address: str = "") -> subprocess.CompletedProcess[str]:
    file = folder / "page.html"
    file.write_text(text, encoding="utf-8")
    assert CHROMIUM is not None
    command = [CHROMIUM, *QUIET, f"--user-data-dir={folder / 'profile'}", *arguments, address or file.as_uri()]
    return subprocess.run(command, capture_output=True, text=True, timeout=90, check=False, cwd=folder)


class Handler(SimpleHTTPRequestHandler):
    """Serves a folder and remembers what was asked for."""

    asked: ClassVar[list[str]] = []

    def log_message(self, format: str, *args: object) -> None:
        self.asked.append(self.path)


@pytest.fixture
def served(tmp_path: Path) -> Iterator[str]:
    """The address of a page that this machine serves to itself."""
    Handler.asked.clear()
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(tmp_path))) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


def test_it_asks_for_nothing_and_nothing_is_refused(page: str, tmp_path: Path, served: str) -> None:
    log = tmp_path / "net.json"
    ran = browse(tmp_path, page, f"--log-net-log={log}", "--dump-dom", address=f"{served}page.html")
    assert "How to check the figures" in ran.stdout
    held = json.loads(log.read_text(encoding="utf-8"))
    asked = {event["params"]["url"] for event in held["events"] if "url" in event.get("params", {})}
    # The browser looks for its maker's services by itself, in vain.
    own = {url for url in asked if not re.match(r"https?://([\w-]+\.)*(google|gstatic|googleapis|gvt1)\.com[/:]", url)}
    assert Handler.asked == ["/page.html"]
    assert f"{served}page.html" in own and own <= {served, f"{served}page.html"}
    assert "Refused to" not in ran.stderr and "Content Security Policy" not in ran.stderr
    assert "<script" not in ran.stdout and "<img" not in ran.stdout


@pytest.mark.parametrize("width", [320, 1280])
def test_nothing_runs_over_the_edge(page: str, tmp_path: Path, width: int) -> None:
    ran = browse(tmp_path, HARNESS.format(width=width, page=html.escape(page)), "--dump-dom")
    match = re.search(r'data-found="([^"]*)"', ran.stdout)
    assert match is not None, ran.stderr[-500:]
    found = json.loads(html.unescape(match[1]))
    assert found["width"] <= width and not found["wide"]
    assert found["styled"] != "none", "the policy lets the page's own style through"


@pytest.mark.skipif(PDF is None, reason="no pdftotext on this machine to read the printed pages with")
def test_every_printed_page_has_its_stamp_and_where_it_comes_from(page: str, tmp_path: Path) -> None:
    browse(tmp_path, page, "--no-pdf-header-footer", f"--print-to-pdf={tmp_path / 'page.pdf'}")
    assert PDF is not None
    text = subprocess.run([PDF, "-layout", tmp_path / "page.pdf", "-"], capture_output=True, text=True, timeout=60, check=True).stdout
    pages = text.split("\f")[:-1]
    assert len(pages) > 5
    for number, printed in enumerate(pages, 1):
        assert "HYPOTHETICAL \u00b7 BASELINE NOT RECONCILED" in printed
        assert "caseload bbbbbbbbbbbb" in printed
        assert f"Page {number} of {len(pages)}" in printed
