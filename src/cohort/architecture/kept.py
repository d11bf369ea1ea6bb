"""What an engine holds beside weights and cached tokens."""

from __future__ import annotations

from dataclasses import dataclass

from cohort.errors.arguments import explain


@dataclass(frozen=True, slots=True)
class Kept:
    """Rotary tables and recurrent states, as config and family say.

    Attributes
    ----------
    rotary : tuple of int
        Numbers that each table has of a position: a cosine and a sine for two channels.
    sections : bool
        Whether a position has several parts, as in videos.
    wide_rotary : bool
        Whether tables are in fp32 in any engine.
    state_bytes : int
        Bytes of a number of a recurrent state.
    """

    rotary: tuple[int, ...] = ()
    sections: bool = False
    wide_rotary: bool = False
    state_bytes: int = 2


explain(__name__)
