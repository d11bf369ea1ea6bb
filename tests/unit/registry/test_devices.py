"""Accelerators: known figures, and names that are not there."""

import pytest

import cohort
from cohort.errors import UnknownNameError


def test_known_accelerators():
    h100, a100 = cohort.accelerator("H100 SXM 80GB"), cohort.accelerator("A100 SXM 80GB")
    assert (h100.memory_bytes, h100.bandwidth) == (80 * 10**9, 3350e9)
    assert (h100.peak(), h100.peak("fp8"), a100.peak("bf16")) == (989e12, 1979e12, 312e12)
    assert h100.usd_per_hour == (1.99, 5.0)


def test_every_accelerator_can_be_read():
    for name in cohort.accelerators():
        found = cohort.accelerator(name)
        assert found.memory_bytes > 0 < found.bandwidth
        assert all(peak > 0 for _, peak in found.peaks)
        assert found.usd_per_hour is None or 0 < found.usd_per_hour[0] <= found.usd_per_hour[1]


def test_unknown_names_are_answered_with_the_nearest():
    with pytest.raises(UnknownNameError, match=r"did you mean .*'H100 SXM 80GB'"):
        cohort.accelerator("H100")
    with pytest.raises(UnknownNameError, match="unknown accelerator"):
        cohort.accelerator(["H100 SXM 80GB"])
    with pytest.raises(UnknownNameError, match="type of number of A100 SXM 80GB"):
        cohort.accelerator("A100 SXM 80GB").peak("fp8")
