"""Make this machine compute as others would: by the switches of the numerical libraries."""

from __future__ import annotations

import platform
from collections.abc import Callable, Iterable

from cohort.errors import unknown

THREADS = 4  # more than a small machine has cores, and no harm to it


def machine_settings(names: Iterable[str]) -> dict[str, str]:
    """Return the environment of some profiles.

    Parameters
    ----------
    names : iterable of str
        Names of `PROFILES`.

    Returns
    -------
    dict of str to str

    Raises
    ------
    UnknownNameError
        If a profile is unknown.
    """
    found: dict[str, str] = {}
    for name in names:
        if name not in PROFILES:
            raise unknown("machine profile", name, PROFILES)
        found |= PROFILES[name]()
    return found


def _plain_cpu() -> dict[str, str]:
    """Return the switches that leave a processor the features of the oldest one that NumPy supports."""
    from numpy._core._multiarray_umath import (  # type: ignore[import-not-found]
        __cpu_dispatch__,
        __cpu_features__,
    )

    there = [feature for feature in __cpu_dispatch__ if __cpu_features__.get(feature)]
    switches = {"NPY_DISABLE_CPU_FEATURES": " ".join(there)} if there else {}
    if platform.machine().lower() in ("x86_64", "amd64"):
        # OpenBLAS's kernels, and the functions of the C library.
        switches |= {
            "OPENBLAS_CORETYPE": "Prescott",
            "GLIBC_TUNABLES": "glibc.cpu.hwcaps=-AVX2,-FMA,-FMA4,-AVX512F",
        }
    elif platform.machine().lower() in ("aarch64", "arm64"):
        switches |= {"OPENBLAS_CORETYPE": "ARMV8"}
    return switches


def _many_threads() -> dict[str, str]:
    return {name: str(THREADS) for name in ("MKL_NUM_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")}


PROFILES: dict[str, Callable[[], dict[str, str]]] = {
    "plain-cpu": _plain_cpu,
    "many-threads": _many_threads,
}
