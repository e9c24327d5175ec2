"""A browser without a network shows and prints the page, and has nothing to complain about."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from monai_tumor.reporting.page import build_report

_OFFLINE = [
    "--host-resolver-rules=MAP * ~NOTFOUND",
    "--disable-background-networking",
    "--enable-logging=stderr",
    "--v=0",
]


@pytest.fixture
def browse(tmp_path: Path, mixed):
    """Open the page with further options; return what the browser says on both channels."""
    browser = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if browser is None:
        pytest.skip("no Chromium: install chromium to see the page as a reader does")
    page = tmp_path / "report.html"
    page.write_text(build_report(mixed.content()), encoding="utf-8")

    def run(*options: str) -> tuple[str, str]:
        fixed = ["--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path / 'profile'}", *_OFFLINE]
        done = subprocess.run(
            [browser, *fixed, *options, page.as_uri()], capture_output=True, text=True, timeout=120, check=True
        )
        return done.stdout, done.stderr

    return run


def test_the_console_stays_empty(browse) -> None:
    shown, said = browse("--dump-dom")
    assert "CONSOLE" not in said and "missed-large" in shown and "</html>" in shown


def test_it_prints(browse, tmp_path: Path) -> None:
    _, said = browse(f"--print-to-pdf={tmp_path / 'report.pdf'}")
    assert "CONSOLE" not in said and (tmp_path / "report.pdf").read_bytes().startswith(b"%PDF")
