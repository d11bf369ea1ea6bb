"""A small checkout to run notebooks in."""

from __future__ import annotations

from pathlib import Path

import pytest
from synthetic import new_checkout

from cohort.runner.project import Project


@pytest.fixture
def checkout(tmp_path: Path) -> Project:
    """A checkout of its own for one test."""
    return new_checkout(tmp_path)
