"""The page in a browser: nothing is wider than a phone or too small for it, and dark is dark."""

import re
import shutil
import subprocess

import pytest

CHROMIUM = next(
    (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None
)
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium to look at the page with")
MEASURE = """<script>addEventListener('load', () => {
  const small = [...document.querySelectorAll('svg text')].map(t => t.getBoundingClientRect().height);
  document.documentElement.dataset.found = [document.documentElement.scrollWidth, innerWidth,
    getComputedStyle(document.body).backgroundColor, Math.min(...small).toFixed(1)].join('|')})</script>"""


def found(html, folder, width, *flags):
    path = folder / "page.html"
    path.write_text(html.replace("</body>", MEASURE + "</body>"), encoding="utf-8")
    shown = subprocess.run(
        [CHROMIUM, "--headless=new", "--no-sandbox", "--disable-gpu", f"--window-size={width},900",
         f"--user-data-dir={folder / 'profile'}", *flags, "--dump-dom", path.as_uri()],
        capture_output=True, text=True, timeout=60, check=True,
    ).stdout  # fmt: skip
    wide, inner, ground, smallest = re.search('data-found="([^"]*)"', shown)[1].split("|")
    return int(wide), int(inner), ground, float(smallest)


def test_on_a_dark_phone_the_page_is_dark_readable_and_no_wider_than_the_screen(tabular, tmp_path):
    wide, inner, ground, smallest = found(tabular.report.html, tmp_path, 360, "--blink-settings=preferredColorScheme=0")
    assert wide <= inner <= 500
    assert ground == "rgb(20, 23, 29)"
    assert smallest >= 9
