"""axe-core in Chromium, where both are there: what it finds on a page of ours at a given width.

axe-core is no part of set-up: `make witnesses` installs it, or COUNTERFOIL_AXE names its axe.min.js.
"""

from __future__ import annotations

import html
import json
import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

POLICY = re.compile(r'<meta http-equiv="Content-Security-Policy"[^>]*>')  # would keep axe out as well
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
ASKING = """axe.run(document, {runOnly: RULES}).then(found => {
  const said = parent.document.createElement('pre');
  said.id = 'found';
  said.textContent = JSON.stringify({violations: found.violations.map(v => [v.id, v.impact]),
    passes: found.passes.length, width: document.documentElement.scrollWidth});
  parent.document.body.appendChild(said);
});"""


@dataclass(frozen=True, slots=True)
class Looked:
    """What was found: rule and impact of each violation, rules that passed, and how wide the page became."""

    violations: tuple[tuple[str, str], ...]
    passes: int
    width: int


def axe_file() -> Path | None:
    beside = Path(__file__).parents[2] / "build" / "witnesses" / "node_modules" / "axe-core" / "axe.min.js"
    file = Path(os.environ.get("COUNTERFOIL_AXE", beside))
    return file if file.is_file() else None


def browser() -> str | None:
    return next((found for name in BROWSERS if (found := shutil.which(name))), None)


def why_no_axe() -> str:
    """Why pages cannot be looked at here, or nothing."""
    if browser() is None:
        return "there is no Chromium on this machine (make witnesses)"
    return "" if axe_file() else "axe-core is not on this machine (make witnesses, or COUNTERFOIL_AXE)"


def look_at(page: str, width: int, folder: Path) -> Looked:
    """A page in a frame of `width` CSS pixels, since a window cannot be as narrow as a telephone."""
    axe, chromium = axe_file(), browser()
    if axe is None or chromium is None:
        raise RuntimeError(why_no_axe())
    script = f"<script>{axe.read_text('utf-8')}</script><script>{ASKING.replace('RULES', json.dumps(RULES))}</script>"
    framed = html.escape(POLICY.sub("", page).replace("</body>", f"{script}</body>"))
    file = folder / f"framed-{width}.html"
    file.write_text(
        f'<!DOCTYPE html><html><body><iframe style="width:{width}px;height:3000px;border:0" srcdoc="{framed}"></iframe>'
        "</body></html>",
        "utf-8",
    )
    done = subprocess.run(
        [chromium, "--headless", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=20000", "--dump-dom",
         f"--user-data-dir={folder / 'profile'}", f"--window-size={max(width, 1280)},3000", file.as_uri()],
        capture_output=True, text=True, check=True, timeout=120,
    )  # fmt: skip
    (said,) = re.findall(r'<pre id="found">(.*?)</pre>', done.stdout, re.DOTALL)
    found = json.loads(html.unescape(said))
    return Looked(tuple((rule, impact) for rule, impact in found["violations"]), found["passes"], found["width"])
