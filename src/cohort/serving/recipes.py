"""Recipes of training: in which types weights, gradients, states and adapters are held."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from cohort.errors.arguments import explain


@dataclass(frozen=True, slots=True)
class Recipe:
    """Bytes for each trained weight.

    Attributes
    ----------
    weight, gradient : int
        Of the weight itself, and of its gradient.
    master : int
        Of a second copy that the optimiser keeps.
    state : int
        Of each state of the optimiser.
    cast : int
        Of the copy that autocast makes and keeps until the step ends.
    stream : int
        Of a number of the residual stream.
    resident : bool
        Whether gradients stay allocated between steps, in buffers.
    autocast : bool
        Whether matrices are multiplied in 16 bits whatever their type is.
    """

    weight: int
    gradient: int
    master: int
    state: int
    cast: int
    stream: int
    resident: bool = False
    autocast: bool = False

    @property
    def summed(self) -> int:
        """Copies of a tied embedding's gradient beside the first, while both of its uses are added up.

        By the peaks that this book measured, the sum is made in place where one of them was just cast to
        fp32, and beside both in 16 bits.
        """
        return 1 if self.autocast else 2


# All in bf16; weights in fp32 that autocast multiplies in bf16; bf16 beside a master copy, as in Megatron-LM
# and DeepSpeed (16 bytes in all, as the paper on ZeRO counts them); the same with gradients summed in fp32.
RECIPES = {
    "bf16": Recipe(2, 2, 0, 2, 0, 2),
    "autocast": Recipe(4, 4, 0, 4, 2, 4, autocast=True),
    "mixed": Recipe(2, 2, 4, 4, 0, 2, resident=True),
    "mixed_fp32": Recipe(2, 4, 4, 4, 0, 2, resident=True),
}

_EIGHT_BITS = 1 + 4 / 256  # blocks of 256 share a scale in fp32
OPTIMISERS = ("adamw", "adamw_8bit", "adafactor", "muon", "sgd", "momentum")
OUTER = ("embedding", "tied", "head")

# PyTorch gives cuBLAS a workspace of 32 MiB on Hopper for each thread that multiplies: the one that runs the
# forward pass, and autograd's.
WORKSPACE = 2 * 32 * 2**20


def beside_adapters(recipe: Recipe, adapter_bytes: int, wide: bool) -> Recipe:
    """Return the recipe of adapters on frozen weights.

    Parameters
    ----------
    recipe : Recipe
        That of the step.
    adapter_bytes : int
        Bytes of a number of an adapter, its gradient and its states: 4, as peft makes them, or 2.
    wide : bool
        Whether frozen weights are stored in fp32.

    Returns
    -------
    Recipe
        Bytes for each weight of an adapter. The residual stream has the type of the frozen weights.
    """
    each = adapter_bytes
    return replace(recipe, weight=each, gradient=each, master=0, state=each, cast=0, stream=4 if wide else 2)


def state_bytes(optimiser: str, each: int, trained: float, counts: Mapping[str, float] | None) -> float:
    """Return the bytes of an optimiser's states.

    Parameters
    ----------
    optimiser : str
        One of `OPTIMISERS`.
    each : int
        Bytes of a number of a state.
    trained : float
        Weights that are trained.
    counts : mapping or None
        Weights by kind, for Muon, which keeps two states for those that are no matrices of the layers; None
        where adapters alone are trained.

    Returns
    -------
    float
        Bytes.

    Examples
    --------
    >>> state_bytes("adamw", 4, 1000, None)
    8000
    """
    if optimiser == "adamw":
        return 2 * each * trained
    if optimiser == "adamw_8bit":
        return 2 * _EIGHT_BITS * trained
    if optimiser == "momentum":
        return each * trained
    if optimiser == "muon":
        outer = sum(counts.get(kind, 0.0) for kind in (*OUTER, "norms")) if counts is not None else 0.0
        return each * (trained + outer)
    return 0.0  # plain gradient descent, and Adafactor but for its sums of rows and columns


explain(__name__)
