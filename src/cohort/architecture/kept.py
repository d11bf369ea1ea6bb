"""What an engine holds of a model beside its weights and the tokens of its cache."""

from __future__ import annotations

from dataclasses import dataclass

from cohort.errors.arguments import explain


@dataclass(frozen=True, slots=True)
class Kept:
    """What config and family say of tables and states that are held while a model runs.

    Attributes
    ----------
    rotary : tuple of int
        Numbers that each table of rotary positions has of a position: a cosine and a sine for two channels.
    sections : bool
        Whether a position has several parts, as the frames of a video have.
    wide_rotary : bool
        Whether these tables are in fp32 in any engine.
    wide_states : bool
        Whether recurrent states are in fp32.
    """

    rotary: tuple[int, ...] = ()
    sections: bool = False
    wide_rotary: bool = False
    wide_states: bool = False

    @property
    def state_bytes(self) -> int:
        """Bytes of a number of a recurrent state."""
        return 4 if self.wide_states else 2


UNSAID = Kept()

explain(__name__)
