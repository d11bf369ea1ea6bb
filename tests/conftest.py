"""What all tests share: how properties are tried, and which tests wait for the weekly run."""

import gc
import os
import sys
from pathlib import Path

import pytest
from hypothesis import settings

# A grammar of web addresses that jsonschema would load: it takes a second, and serves no test.
sys.modules.setdefault("rfc3987_syntax", None)

# No clock: other work may slow the machine. At each push the same examples, so that a failure is that push's
# doing; once a week, or with a seed, others.
settings.register_profile("push", deadline=None, derandomize=True)
settings.register_profile("weekly", deadline=None, print_blob=True)

MARKERS = (
    "slow: takes seconds, and is left out of `make quick`",
    "weekly: takes long, and runs with --weekly only",
    "xdist_group(name): runs in one worker with the others of the group",
    "idle: looks at a clock, and runs in `make test` when no other test does",
)
# A collection of garbage looks through all that is loaded: here thousands of tests, and whole libraries.
RARELY = (50_000, 20, 20)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--weekly", action="store_true", help="also run what is run once a week")


def pytest_configure(config: pytest.Config) -> None:
    gc.set_threshold(*RARELY)
    for marker in MARKERS:
        config.addinivalue_line("markers", marker)
    explores = config.getoption("--weekly") or config.getoption("--hypothesis-seed") is not None
    if config.getoption("--hypothesis-profile") is None:
        settings.load_profile("weekly" if explores else "push")


def shares_work(item: pytest.Item) -> bool:
    """Whether a test shares with others of its module what is made once: a fixture, or what a cache keeps."""
    known = getattr(item, "_fixtureinfo", None)  # of functions alone
    definitions = known.name2fixturedefs.values() if known else ()
    goes_by_file = any(Path(__file__).parent / name in item.path.parents for name in ("oracles", "unit"))
    return goes_by_file or any(found[-1].scope == "module" for found in definitions)


def name_group(item: pytest.Item) -> None:
    """Name the group of a test in its identifier, where the scheduler reads it.

    pytest-xdist 3.8 names it in an attribute that pytest 9.2 reads no more, and so would group nothing.
    """
    mark = item.get_closest_marker("xdist_group")
    if mark is not None:
        (group,) = [*mark.args, *mark.kwargs.values()]
        known = f"{item.nodeid}@{group}"
        if hasattr(item, "_id"):
            item._id = type(item._id).parse(known)
        else:
            item._nodeid = known  # of pytest before 9.2


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    for item in items:
        if shares_work(item):  # what is made once for a module is made by one worker
            group = item.path.relative_to(Path(__file__).parent).with_suffix("").as_posix()
            item.add_marker(pytest.mark.xdist_group(group), append=False)
        if config.getoption("loadgroup", False):
            name_group(item)
    if config.getoption("--weekly"):
        return
    weekly = [item for item in items if item.get_closest_marker("weekly")]
    config.hook.pytest_deselected(items=weekly)
    items[:] = [item for item in items if not item.get_closest_marker("weekly")]


def pytest_collection_finish() -> None:
    """Leave the tests, and what they import, out of collections of garbage: these stay to the end."""
    gc.freeze()


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail the weekly run of continuous integration where it skipped a test: an oracle was missing."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    is_strict = session.config.getoption("--weekly") and os.environ.get("CI") == "true"
    if is_strict and reporter is not None and reporter.stats.get("skipped"):
        reporter.write_line("the weekly run skips no test, but some were skipped")
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
