"""The board's own counters, read through NVIDIA's management library: energy, power, its limit, the driver.

The library comes with the driver; nothing is installed for it. Without it, or on other boards, there is no
meter, and no energy is written.
"""

from __future__ import annotations

import ctypes
from typing import Any


class Meter:
    """The counters of one board."""

    def __init__(self, library: Any, board: ctypes.c_void_p) -> None:
        self._library, self._board = library, board

    @classmethod
    def open(cls, uuid: str, library: Any = None) -> Meter | None:
        """Return the meter of the board with this identifier, or None where there is none."""
        try:
            library = library or ctypes.CDLL("libnvidia-ml.so.1")
        except OSError:
            return None
        board = ctypes.c_void_p()
        name = uuid if uuid.startswith("GPU-") else f"GPU-{uuid}"
        if library.nvmlInit_v2() or library.nvmlDeviceGetHandleByUUID(name.encode(), ctypes.byref(board)):
            return None
        return cls(library, board)

    def _read(self, function: str, kind: Any) -> float | None:
        value = kind()
        failed = getattr(self._library, function)(self._board, ctypes.byref(value))
        return None if failed else value.value / 1e3

    def joules(self) -> float | None:
        """Return what the board has used since its driver was loaded."""
        return self._read("nvmlDeviceGetTotalEnergyConsumption", ctypes.c_ulonglong)

    def watts(self) -> float | None:
        """Return what it draws now."""
        return self._read("nvmlDeviceGetPowerUsage", ctypes.c_uint)

    def limit_watts(self) -> float | None:
        """Return what it may draw."""
        return self._read("nvmlDeviceGetEnforcedPowerLimit", ctypes.c_uint)

    def driver(self) -> str:
        """Return the version of the driver."""
        text = ctypes.create_string_buffer(96)
        self._library.nvmlSystemGetDriverVersion(text, ctypes.c_uint(len(text)))
        return text.value.decode()
