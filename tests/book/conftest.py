"""The built book, as files and in a browser."""

import os
import sys
from collections.abc import Iterator

import pytest
from browser import NAMES, SITE, executable, launched, served
from visits import Measured, Visitor

# The book's own Sphinx extensions are tested too.
sys.path.append(str(SITE.parents[1] / "_ext"))

MISSING = f"no browser: the pages are checked with one of {', '.join(NAMES)}, and none is installed"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say once why the browser tests were skipped."""
    if executable() is None:
        terminalreporter.write_line(MISSING)


@pytest.fixture(scope="session")
def browser_found() -> str:
    """The path of Chromium. Without one the test is skipped, but in continuous integration it fails."""
    path = executable()
    if path is None:
        if os.environ.get("CI") == "true":
            pytest.fail(MISSING)
        pytest.skip(MISSING)
    return path


@pytest.fixture(scope="session")
def visitor(
    browser_found: str, pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Visitor]:
    """A browser in front of the served book."""
    own = tmp_path_factory.getbasetemp()
    shared = own.parent if hasattr(pytestconfig, "workerinput") else own  # of all workers of this run
    with served(SITE) as root, launched() as browser:
        known = Measured(shared / "measured")
        yield Visitor(browser, root, known, every=pytestconfig.getoption("--weekly"))
