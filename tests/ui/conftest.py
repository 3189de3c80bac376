"""One `xai ui` and one browser for all tests of the UI."""

from pathlib import Path

import pytest

from tests.conftest import TINY_STUDY
from tests.ui.dagster_dev import code_location, run, xai_ui
from tests.ui.hostile import other_host, write_study

CHROMIUM = "/usr/bin/chromium"
FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip
STUDIES = {"tiny": TINY_STUDY, "every-minute": TINY_STUDY + 'schedule: "* * * * *"\n'}


@pytest.fixture(scope="session")
def host():
    """Another host than the UI's."""
    with other_host() as found:
        yield found


@pytest.fixture(scope="session")
def server(tmp_path_factory, host):
    """`xai ui` in an empty folder; its address and its data folder."""
    home = tmp_path_factory.mktemp("home")
    (home / "data" / "studies").mkdir(parents=True)
    for name, text in STUDIES.items():
        (home / "data" / "studies" / f"{name}.yaml").write_text(text, encoding="utf-8")
    write_study(home / "data", host.name)
    with xai_ui(home) as base:
        host.ui = base
        yield base, home / "data"


@pytest.fixture(scope="session")
def location(server):
    """What names the code location in the server's queries."""
    return code_location(server[0])


@pytest.fixture(scope="session")
def finished_run(server, location):
    """How the tiny study's first run ended."""
    return run(server[0], location, {})


@pytest.fixture
def page():
    """A page in a real Chromium."""
    if not Path(CHROMIUM).exists():
        pytest.skip(f"no browser at {CHROMIUM}: apt-get install chromium")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, headless=True, args=FLAGS)
        yield browser.new_context(viewport={"width": 1500, "height": 1100}, accept_downloads=True).new_page()
        browser.close()
