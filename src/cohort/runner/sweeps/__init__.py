"""Sweeps: one notebook under many sets of parameters, stored so that no finished run is lost or repeated."""

from __future__ import annotations

__all__ = ["Plan", "Row", "StoppedError", "Store", "make_plan", "run_sweep"]
