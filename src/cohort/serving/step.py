"""The seconds of a step: devices that share the layers of a model read, multiply and exchange.

A step that writes a token of every sequence reads the weights once and the cache of each sequence, and
multiplies. Each product takes its bytes or its FLOPs over what the accelerator attains of its peak, whichever
takes longer; `Attained.corner` says how far the two overlap. To that come times that do not shrink with the
work: of launches, of all-reduces, of each sequence. Layers follow each other, so that their times add up.
The stages of a pipeline each work on a part of the sequences, at the pace of the longest of them.
Prompts are taken to be read in steps of their own. Were they read in the same steps as the tokens of others,
the models that the fit leaves out would be missed by 10.4 % at the median in place of 9.4 %; were the host to
work beside the device, by more still.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from math import ceil, inf, isinf

from cohort.architecture.decoder import ModelSpec
from cohort.architecture.dtypes import precision
from cohort.architecture.formats import WeightFormat
from cohort.errors.arguments import explain
from cohort.registry.devices import Accelerator, multiplied_type, sixteen_bit_type
from cohort.serving.attainment import Attained
from cohort.serving.layouts import Layout, stages
from cohort.serving.operations import STATE_BYTES, Mixing, Plan, Product, Routed, cache_read, operations_of

ACTIVATION_BYTES = 2  # of the numbers that devices exchange
DISPATCHED = 3  # bytes of each number that goes to an expert on another device, in fp8, and back in 16 bits
CHUNK = 8192  # tokens of prompts that engines read in one step
PARTS = ("weights", "cache", "matrices", "scores", "links", "layers", "sequences")


@dataclass(frozen=True, eq=False)
class DeviceGroup:
    """Devices that share the layers of a model, with what they attain.

    Attributes
    ----------
    spec : ModelSpec
        The model.
    device : Accelerator
        Each of the devices.
    layout : Layout
        How they share it.
    stored : WeightFormat
        How weights are stored.
    kv_dtype : str
        How the cache is stored.
    attained : Attained
        What they attain of their peaks.
    """

    spec: ModelSpec
    device: Accelerator
    layout: Layout
    stored: WeightFormat
    kv_dtype: str
    attained: Attained

    @property
    def devices(self) -> int:
        """How many they are."""
        return self.layout.devices

    @property
    def across(self) -> int:
        """How many hold a layer together: all of a stage."""
        return self.layout.tensor * self.layout.data

    @cached_property
    def plan(self) -> Plan:
        """What a step does on one of them."""
        return operations_of(self.spec, replace(self.layout, pipeline=1), self.stored)

    @cached_property
    def peak(self) -> float:
        """Operations a second of all devices, in the fastest type that products have."""
        names = {each.dtype for each in self.plan.products} | {each.dtype for each in self.plan.routed}
        return self.devices * max(self._peak(name) for name in names)

    @cached_property
    def bandwidth(self) -> float:
        """Bytes a second of the memory of all devices."""
        return self.devices * self.device.bandwidth

    def _peak(self, dtype: str) -> float:
        return self.device.peak(multiplied_type(self.device, dtype))

    # --- bytes

    def weight_bytes(self, tokens: int) -> float:
        """Return the bytes of the weights that a step of so many tokens reads.

        Parameters
        ----------
        tokens : int
            Tokens that pass through in the step.

        Returns
        -------
        float
            Bytes, of all devices.
        """
        found = sum(each.times * each.weight_bytes for each in (*self.plan.products, self.plan.head))
        found += sum(each.times * each.read(tokens) for each in self.plan.routed)
        return self.across * found

    def cache_bytes(self, context: int, sequences: int) -> int:
        """Return the cache of one device, of the fullest copy of the attention and the fullest stage.

        Parameters
        ----------
        context, sequences : int
            Tokens of each sequence, and sequences of all copies.

        Returns
        -------
        int
            Bytes.
        """
        mine, shared = self.layout.sequences(sequences), self.layout.tensor
        if self.layout.pipeline == 1:
            return self.spec.kv_cache_bytes(context, mine, self._cache_width, tensor_parallel=shared)
        return max(
            part.kv_cache_bytes(context, mine, self._cache_width, tensor_parallel=shared)
            for part in self._stages
        )

    def read_in_a_step(self, context: int, sequences: int, written: int = 1) -> float:
        """Return the bytes of weights and caches that are read while each sequence gets its next token.

        Parameters
        ----------
        context, sequences : int
            Tokens of each sequence, and sequences.
        written : int
            Tokens of each that pass through at once.

        Returns
        -------
        float
            Bytes, of all devices. Each part of the sequences in a pipeline reads the weights anew.
        """
        part = ceil(sequences / self.layout.pipeline)
        weights = ceil(sequences / part) * self.weight_bytes(part * written)
        mine = self.layout.sequences(sequences)
        return weights + self.across * self.spec.kv_cache_bytes(
            context, mine, self._cache_width, tensor_parallel=self.layout.tensor
        )

    @cached_property
    def _stages(self) -> tuple[ModelSpec, ...]:
        """The model, or what each stage holds of its layers."""
        if self.layout.pipeline == 1:
            return (self.spec,)
        parts = stages(self.spec, self.layout)
        return tuple(replace(self.spec, layers=tuple(self.spec.layers[n] for n in part)) for part in parts)

    @cached_property
    def pace(self) -> float:
        """How much longer all take for layers that are not as many in each stage."""
        longest = ceil(len(self.spec.layers) / self.layout.pipeline)
        return self.layout.pipeline * longest / len(self.spec.layers)

    @cached_property
    def _cache_width(self) -> float:
        width = precision(self.kv_dtype).bytes_per_element
        return int(width) if width == int(width) else width

    # --- rates, kept for the steps to come

    @cached_property
    def _products(self) -> tuple[tuple[float, float], ...]:
        """Seconds to read the weights of each product, and those of a token's FLOPs, of all layers."""
        return tuple(self._rated(each) for each in self.plan.products)

    @cached_property
    def _head(self) -> tuple[float, float]:
        return self._rated(self.plan.head)

    def _rated(self, each: Product) -> tuple[float, float]:
        read = self.attained.read_share(self.device, each.dtype) * self.device.bandwidth
        rate = self.attained.product_rate(self.device, each.dtype)
        return each.times * each.weight_bytes / read, each.times * each.flops / rate

    @cached_property
    def _experts(self) -> tuple[tuple[Routed, float, float, float], ...]:
        """Each mixture with the seconds of a byte and of a FLOP, and how uneven it is."""
        found, shares = [], self.attained.experts
        for each in self.plan.routed:
            read = self.attained.read_share(self.device, each.dtype) * self.device.bandwidth * shares["read"]
            rate = self.attained.product_rate(self.device, each.dtype) * shares["matrices"]
            uneven = 1.0 + shares["uneven"] * (each.dealt and each.devices > 1)
            found.append((each, uneven * each.times / read, uneven * each.times / rate, uneven))
        return tuple(found)

    @cached_property
    def _mixing_s(self) -> tuple[tuple[Mixing, float, float, float], ...]:
        """Each kind of attention with the seconds of a byte, of a FLOP of a step, and of one of a prompt."""
        sixteen = self.device.peak(sixteen_bit_type(self.device))
        byte = 1.0 / (self.attained.cache * self.device.bandwidth)
        whole = sixteen * self.attained.fastest(self.device.name, "16-bit")
        found = []
        for each in self.plan.mixing:
            one = sixteen * self.attained.scores[each.kind] * each.devices
            prompt = whole * self.attained.scores["prompts"] * each.devices
            prompt = one if each.kind == "recurrent" else prompt
            found.append((each, each.times * byte, each.times / one, each.times / prompt))
        return tuple(found)

    @cached_property
    def launches(self) -> float:
        """Seconds of a step that do not shrink with its work: launches of kernels, and small ones."""
        seconds = self.attained.launches
        total = seconds["layer"] * self.plan.layers + seconds["product"]  # the head
        total += seconds["product"] * sum(each.kernels * each.times for each in self.plan.products)
        total += (2 * seconds["product"] + seconds["routing"]) * self.plan.mixtures
        total += seconds["product"] * self.plan.beside
        return total + sum(seconds[each.kind] * each.times for each in self.plan.mixing)

    @cached_property
    def synchronisation(self) -> float:
        """Seconds of the all-reduces of a step, were they of nothing."""
        two, further = self.attained.all_reduce_s
        joined = self.layout.tensor if self.layout.tensor > 1 else self.across
        return (self.plan.reduced + self.plan.small) * (two + further * (joined - 2)) if joined > 1 else 0.0

    @cached_property
    def _token_links(self) -> float:
        """Seconds in which one token of all copies is exchanged: in rings, or to its experts and back."""
        if not self.plan.reduced:
            return 0.0
        rate = self.attained.link * (self.device.link or 0.0)
        tensor, data = self.layout.tensor, self.layout.data
        ring = 2 * (tensor - 1) / tensor * ACTIVATION_BYTES
        total = 0.0
        if tensor > 1:
            total += self.plan.reduced * ring / data
        if data > 1 and self.plan.mixtures:
            routed = self.plan.routed[0].active * DISPATCHED if self.layout.expert else inf
            gathered = 2 * ACTIVATION_BYTES * data  # each copy hands its tokens to all others, and back
            total += self.plan.mixtures * min(routed, gathered) / data * (data - 1) / data / tensor
        return total * self.spec.hidden / rate

    # --- seconds

    def multiplying(self, tokens: int) -> float:
        """Return the seconds of the products of so many tokens with the weights, were nothing read.

        Parameters
        ----------
        tokens : int
            Tokens that pass through.

        Returns
        -------
        float
            Seconds.
        """
        dense = sum(token for _, token in (*self._products, self._head))
        routed = sum(each.active / each.devices * each.flops * flop for each, _, flop, _ in self._experts)
        return tokens * (dense + routed)

    def _longer(self, read: float, multiplied: float) -> tuple[float, float]:
        """Return the seconds of a product, split into those of reading and of multiplying."""
        power = self.attained.corner
        if power == 1:
            return read, multiplied
        if isinf(power) or not (read and multiplied):
            return (read, 0.0) if read >= multiplied else (0.0, multiplied)
        ratio: float = (multiplied / read) ** power
        both = read * (1.0 + ratio) ** (1.0 / power)
        part = both / (1.0 + ratio)
        return part, both - part

    def _multiplied(self, tokens: float, scored: float) -> tuple[float, float]:
        """Return the seconds of all products: of reading weights, and of multiplying with them."""
        read = matrices = 0.0
        for weights, token in self._products:
            one, other = self._longer(weights, token * tokens)
            read, matrices = read + one, matrices + other
        one, other = self._longer(self._head[0], self._head[1] * scored)
        read, matrices = read + one, matrices + other
        everywhere = tokens * self.layout.data
        for each, byte, flop, _ in self._experts:
            one, other = self._longer(each.read(everywhere) * byte, each.work(everywhere) * flop)
            read, matrices = read + one, matrices + other
        return read, matrices

    def _streamed(self, tokens: float) -> float:
        """Return the seconds in which hidden states are read and written beside the products."""
        moved = self.attained.streams * tokens * self.spec.hidden * ACTIVATION_BYTES * self.plan.layers
        return moved / self.device.bandwidth

    def step(self, sequences: int, context: int, written: int = 1) -> dict[str, float]:
        """Return the seconds of the parts of a step that writes a token of each sequence.

        Parameters
        ----------
        sequences : int
            Sequences, of all copies of the attention.
        context : int
            Tokens of each.
        written : int
            Tokens of each that pass through at once; more than one where some are guessed ahead.

        Returns
        -------
        dict of str to float
            Seconds by part, one of `PARTS`. Reading the cache and scoring it overlap: the longer counts.
            In a pipeline each stage works on its part of the sequences, and the step ends when all parts have
            passed all stages.
        """
        parts = self.layout.pipeline
        if parts == 1:
            return self._through(sequences, context, written)
        each = ceil(sequences / parts)
        found = self._through(each, context, written)
        if sequences >= parts:
            found = {part: seconds * self.pace for part, seconds in found.items()}
        return {**found, "links": found["links"] + parts * self._handed(each * written)}

    def _handed(self, tokens: float) -> float:
        """Return the seconds in which a stage hands tokens to the next."""
        rate = self.attained.link * (self.device.link or 0.0)
        moved = ACTIVATION_BYTES * tokens / self.layout.data * self.spec.hidden / self.layout.tensor
        return self.attained.all_reduce_s[0] + (moved / rate if rate else 0.0)

    def _through(self, sequences: int, context: int, written: int) -> dict[str, float]:
        """Return the seconds in which so many sequences pass all layers."""
        mine = self.layout.sequences(sequences)
        read, matrices = self._multiplied(mine * written, mine * written)
        cached = scored = 0.0
        width = self._cache_width
        for each, byte, flop, _ in self._mixing_s:
            size = width * cache_read(each.mixer, context, each.devices)
            size += 2 * STATE_BYTES * each.mixer.state_elements(each.devices)  # read and written
            one, other = mine * size * byte, mine * written * each.mixer.decode_flops(context) * flop
            cached, scored = (cached + one, scored) if one >= other else (cached, scored + other)
        return {
            "weights": read,
            "cache": cached,
            "matrices": matrices,
            "scores": scored,
            "links": self._token_links * sequences * written + self.synchronisation,
            "layers": self.launches + self._streamed(mine * written),
            "sequences": sequences * self.attained.sequence_s,
        }

    def prompts(self, tokens: int, cached: int = 0, count: float = 1, chunk: int = CHUNK) -> float:
        """Return the seconds in which one of the copies reads prompts together.

        Parameters
        ----------
        tokens : int
            Tokens of each prompt that are read.
        cached : int
            Tokens before them whose keys and values are in the cache.
        count : float
            Prompts that are read at once, on average.
        chunk : int
            Tokens that a step reads at the most; longer prompts take several.

        Returns
        -------
        float
            Seconds.
        """
        steps = ceil(tokens * count / chunk)
        read, matrices = self._multiplied(tokens * count / steps, count / steps)
        scored = 0.0
        for each, _, _, flop in self._mixing_s:
            scored += count * flop * _prompt_flops(each.mixer, tokens, cached)
        total = steps * (read + matrices + self.launches + self.synchronisation) + scored
        total += self._streamed(tokens * count) + self._token_links * tokens * count * self.layout.data
        return max(total, steps * self.plan.layers * self.attained.launches["prompt"])

    def piped(self, seconds: float, steps: int) -> float:
        """Return the seconds until a prompt that is read in so many steps has passed all stages.

        Parameters
        ----------
        seconds : float
            What its steps take through all layers, one after the other.
        steps : int
            In how many it is read. While one is in a stage, the next is in the stage before.

        Returns
        -------
        float
            Seconds.
        """
        parts = self.layout.pipeline
        return seconds * (steps + parts - 1) / (steps * parts)

    def drafts(self, sequences: int, context: int, guessed: int) -> float:
        """Return the seconds in which tokens are guessed ahead: each by one more layer and the head.

        Parameters
        ----------
        sequences, context : int
            As in `step`.
        guessed : int
            Tokens guessed of each sequence.

        Returns
        -------
        float
            Seconds.
        """
        if not guessed:
            return 0.0
        whole = self.step(sequences, context)
        head = sum(self._longer(self._head[0], self._head[1] * self.layout.sequences(sequences)))
        inside = sum(whole.values()) - whole["sequences"] - head
        return guessed * (inside / self.plan.layers + head)


@lru_cache(maxsize=4096)
def _prompt_flops(mixer: object, tokens: int, cached: int) -> float:
    """Return the FLOPs of scores of the tokens of a prompt, after some that are cached."""
    whole = (tokens + cached) * mixer.score_flops(tokens + cached)  # type: ignore[attr-defined]
    return whole - (cached * mixer.score_flops(cached) if cached else 0.0)  # type: ignore[attr-defined,no-any-return]


explain(__name__)
