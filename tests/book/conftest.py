"""The built book, as files and in a browser."""

import os
import sys
from collections.abc import Iterator

import pytest
from browser import NAMES, SITE, executable, launched, served
from visits import Visitor

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
def visitor(browser_found: str, pytestconfig: pytest.Config) -> Iterator[Visitor]:
    """A browser in front of the served book."""
    with served(SITE) as root, launched() as browser:
        yield Visitor(browser, root, every=pytestconfig.getoption("--weekly"))
