"""The ways in which a group of accelerators can share a model."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from cohort.architecture.decoder import ModelSpec
from cohort.errors.arguments import explain
from cohort.registry.devices import Accelerator
from cohort.serving.groups import most_devices
from cohort.serving.layouts import Layout

STAGES = (1, 2, 4)  # of a pipeline that are tried
# Groups that read prompts and groups that write answers, where each has devices of its own.
DIVIDED = ((1, 1), (1, 2), (1, 3), (2, 1), (3, 1), (1, 5), (2, 3), (3, 2))


@dataclass(frozen=True, slots=True)
class Way:
    """How the accelerators of one copy of a service share the work.

    Attributes
    ----------
    layout : Layout
        How the devices of a group share the model.
    readers, writers : int
        Groups that read prompts and groups that write answers; 0 and 1 where one group does both.
    """

    layout: Layout
    readers: int = 0
    writers: int = 1

    @property
    def apart(self) -> bool:
        """Whether prompts are read by devices of their own."""
        return self.readers > 0

    @property
    def devices(self) -> int:
        """Accelerators of one copy of the service."""
        return (self.readers + self.writers) * self.layout.devices

    @property
    def words(self) -> str:
        """The way in words, such as *8 share each layer* or *2 stages of 4*.

        Examples
        --------
        >>> Way(Layout(4, 2)).words, Way(Layout(2), 1, 3).words
        ('2 stages of 4', '1 group reads and 3 write, 2 share each layer')
        """
        tensor, data = self.layout.tensor, self.layout.data
        shared = f"{tensor} share each layer" if tensor > 1 else "each layer on one"
        if self.layout.pipeline > 1:
            shared = f"{self.layout.pipeline} stages of {tensor * data}"
        if data > 1:
            shared += f", {data} copies of the attention"
        if self.layout.expert:
            shared += ", whole experts dealt out"
        if not self.apart:
            return shared
        reads = "1 group reads" if self.readers == 1 else f"{self.readers} groups read"
        writes = "1 writes" if self.writers == 1 else f"{self.writers} write"
        return f"{reads} and {writes}, {shared}"


def ways(spec: ModelSpec, device: Accelerator, most: int, apart: bool = True) -> Iterator[Way]:
    """Yield the ways in which up to so many accelerators can share a model.

    Parameters
    ----------
    spec : ModelSpec
        The model.
    device : Accelerator
        The accelerator; as many share a layer as its links join.
    most : int
        Accelerators of one copy of the service, at the most.
    apart : bool
        Whether prompts may be read by devices of their own.

    Yields
    ------
    Way
        Powers of two that divide the heads of the attention; experts dealt out and copies of the attention
        for mixtures alone, since a copy of a dense layer is a copy of the service.
    """
    for layout in _layouts(spec, device, most):
        yield Way(layout)
        if not apart or layout.pipeline > 1:
            continue
        for readers, writers in DIVIDED:
            if (readers + writers) * layout.devices <= most:
                yield Way(layout, readers, writers)


def _layouts(spec: ModelSpec, device: Accelerator, most: int) -> Iterator[Layout]:
    joined = min(most_devices(device), most)
    powers = [2**power for power in range(joined.bit_length()) if 2**power <= joined]
    mixture = spec.experts is not None
    for tensor in powers:
        if any(heads % tensor for heads in spec.attention_heads):
            continue
        for data in powers if mixture else (1,):
            if tensor * data > joined:
                break
            for expert in (False, True) if mixture and tensor * data > 1 else (False,):
                for stages in STAGES:
                    if tensor * data * stages <= most and stages <= len(spec.layers):
                        yield Layout(tensor, stages, data, expert)


explain(__name__)
