"""A small checkout to run notebooks in, and chapters under other parameters."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from synthetic import new_checkout
from truths import Notebook
from variants import Outcomes, Variant, outcomes

from cohort.runner.project import Project

# What is started here finds what a reader's environment has.
AS_READERS = Path(__file__).parents[1] / "as_readers"
os.environ["PYTHONPATH"] = os.pathsep.join([str(AS_READERS), *filter(None, [os.environ.get("PYTHONPATH")])])

RAN = pytest.StashKey[dict[Callable[..., None], Outcomes]]()


@pytest.fixture
def checkout(tmp_path: Path) -> Project:
    """A checkout of its own for one test."""
    return new_checkout(tmp_path)


@pytest.fixture
def executed(
    request: pytest.FixtureRequest, variant: Variant, tmp_path_factory: pytest.TempPathFactory
) -> Notebook:
    """A chapter under the parameters of a variant, run with the others of its test that are asked for."""
    ran = request.session.stash.setdefault(RAN, {})
    if request.function not in ran:
        asked = {
            item.callspec.id: item.callspec.params["variant"]
            for item in request.session.items
            if getattr(item, "function", None) is request.function
        }
        ran[request.function] = outcomes(asked, tmp_path_factory.mktemp(variant.chapter))
    return ran[request.function][request.node.callspec.id].checked()
