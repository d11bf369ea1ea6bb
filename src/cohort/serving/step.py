"""The seconds of a step: devices that share the layers of a model read, multiply and exchange.

A step that writes one token of every sequence reads the weights once, reads the cache of each sequence, and
multiplies; each takes its bytes or its FLOPs over what the accelerator attains of its peak. To that come
fixed times: for each layer, for each sequence, and for each all-reduce of devices that share the layers.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache

from cohort.architecture.decoder import ModelSpec
from cohort.architecture.dtypes import precision, precisions
from cohort.architecture.registered import model as read_model
from cohort.errors import ParameterError, integer, one_of
from cohort.registry.devices import Accelerator, as_accelerator, multiplied_type, sixteen_bit_type
from cohort.serving.attainment import Attained, attained, share_name

HOST = 8  # cards that meet on the bus of one host, where no other link joins them
ACTIVATION_BYTES = 2  # of the numbers that devices exchange
_LATENT = frozenset({"MLA", "CSA", "HCA"})  # kinds of attention whose heads share one vector a token


@dataclass(frozen=True, eq=False)
class DeviceGroup:
    """Devices that share the layers of a model, with what they attain.

    Attributes
    ----------
    spec : ModelSpec
        The model.
    device : Accelerator
        Each of the devices.
    devices : int
        How many share each layer.
    weight_dtype, kv_dtype : str
        How weights and cache are stored.
    attained : Attained
        What they attain of their peaks.
    """

    spec: ModelSpec
    device: Accelerator
    devices: int
    weight_dtype: str
    kv_dtype: str
    attained: Attained

    @cached_property
    def peak(self) -> float:
        """Operations a second of all devices, in the type of the products."""
        return self.devices * self.device.peak(multiplied_type(self.device, self.weight_dtype))

    @cached_property
    def sixteen_bit_peak(self) -> float:
        """Operations a second of all devices in 16 bits."""
        return self.devices * self.device.peak(sixteen_bit_type(self.device))

    @cached_property
    def bandwidth(self) -> float:
        """Bytes a second of the memory of all devices."""
        return self.devices * self.device.bandwidth

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
        return weights_read(self.spec, tokens) * self._weight_width

    def cache_bytes(self, context: int, sequences: int) -> int:
        """Return the cache of one device.

        Parameters
        ----------
        context, sequences : int
            Tokens of each sequence, and sequences.

        Returns
        -------
        int
            Bytes.
        """
        return self.spec.kv_cache_bytes(context, sequences, self._cache_width, tensor_parallel=self.devices)

    @cached_property
    def _weight_width(self) -> float:
        return precision(self.weight_dtype).bytes_per_element

    @cached_property
    def _cache_width(self) -> float:
        width = precision(self.kv_dtype).bytes_per_element
        return int(width) if width == int(width) else width

    # --- rates, kept for the steps to come

    @cached_property
    def _read_rate(self) -> float:
        return self.attained.weights[share_name(self.weight_dtype)] * self.device.bandwidth * self.devices

    @cached_property
    def _token_s(self) -> float:
        share = self.attained.product(
            self.device.name, share_name(multiplied_type(self.device, self.weight_dtype))
        )
        return 2.0 * self.spec.matmul_parameters / (share * self.peak)

    @cached_property
    def _score_rate(self) -> float:
        latent = not _LATENT.isdisjoint(self.spec.attention_kinds)
        return self.attained.scores["latent" if latent else "grouped"] * self.sixteen_bit_peak

    @cached_property
    def _prompt_rate(self) -> float:
        return self.attained.product(self.device.name, "16-bit") * self.sixteen_bit_peak

    # --- seconds

    def reading(self, weight_bytes: float) -> float:
        """Return the seconds in which weights are read.

        Parameters
        ----------
        weight_bytes : float
            Bytes, of all devices.

        Returns
        -------
        float
            Seconds.
        """
        return weight_bytes / self._read_rate

    def matrices(self, tokens: int) -> float:
        """Return the seconds of the products of so many tokens with the weights.

        Parameters
        ----------
        tokens : int
            Tokens that pass through.

        Returns
        -------
        float
            Seconds.
        """
        return self._token_s * tokens

    def prompt_scores(self, flops: float) -> float:
        """Return the seconds in which the queries of a prompt are scored, in 16 bits.

        Parameters
        ----------
        flops : float
            FLOPs of the scores.

        Returns
        -------
        float
            Seconds.
        """
        return flops / self._prompt_rate

    def scores(self, flops: float) -> float:
        """Return the seconds in which one new query of each sequence is scored.

        Parameters
        ----------
        flops : float
            FLOPs of the scores.

        Returns
        -------
        float
            Seconds.
        """
        return flops / self._score_rate

    def exchange(self, tokens: int) -> float:
        """Return the seconds of the bytes of two all-reduces a layer, in a ring.

        Parameters
        ----------
        tokens : int
            Tokens whose activations are exchanged.

        Returns
        -------
        float
            Seconds; 0 on one device.
        """
        if self.devices == 1:
            return 0.0
        size = tokens * self.spec.hidden * ACTIVATION_BYTES
        sent = 2 * (self.devices - 1) / self.devices * size
        return 2 * len(self.spec.layers) * sent / (self.attained.link * (self.device.link or 0.0))

    @cached_property
    def synchronisation(self) -> float:
        """Seconds of two all-reduces of nothing a layer."""
        return 2 * len(self.spec.layers) * self.attained.all_reduce_s if self.devices > 1 else 0.0

    @cached_property
    def layers(self) -> float:
        """Fixed seconds of all layers."""
        return len(self.spec.layers) * self.attained.layer_s

    def step(self, sequences: int, weights: float, cache: float, score_flops: float) -> dict[str, float]:
        """Return the seconds of the parts of a step that writes one token of each sequence.

        Parameters
        ----------
        sequences : int
            Sequences.
        weights, cache : float
            Bytes that are read: weights of all devices, cache of each.
        score_flops : float
            FLOPs of the scores of all sequences.

        Returns
        -------
        dict of str to float
            Seconds by part. Reading the cache and scoring it overlap: the longer of the two counts.
        """
        cached = cache / (self.attained.cache * self.device.bandwidth)
        scored = self.scores(score_flops)
        return {
            "weights": self.reading(weights),
            "cache": cached if cached >= scored else 0.0,
            "matrices": self.matrices(sequences),
            "scores": 0.0 if cached >= scored else scored,
            "links": self.exchange(sequences) + self.synchronisation,
            "layers": self.layers,
            "sequences": sequences * self.attained.sequence_s,
        }


def weights_read(spec: ModelSpec, tokens: int) -> float:
    """Return how many weights a step of several tokens reads: all, but for experts that none is sent to.

    The input embedding is looked up, not read. Of the routed experts as many are read as `coverage` expects,
    each taken to be as likely as the others.

    Parameters
    ----------
    spec : ModelSpec
        The model.
    tokens : int
        Tokens that pass through the model in the step.

    Returns
    -------
    float
        Weights.

    See Also
    --------
    cohort.experts.coverage : How many distinct experts several tokens reach.

    Examples
    --------
    >>> import cohort
    >>> mixtral = cohort.model("mixtral-8x7b-v0.1")
    >>> [round(cohort.serving.weights_read(mixtral, tokens) / 1e9, 1) for tokens in (1, 2, 64)]
    [12.7, 21.2, 46.6]
    """
    return spec.parameters - (0 if spec.tied else spec.embedding_parameters) - spec.idle_experts(tokens)


def most_devices(device: Accelerator) -> int:
    """Return over how many devices a layer can be split: those that links join, or a host of cards.

    Parameters
    ----------
    device : Accelerator
        The accelerator.

    Returns
    -------
    int
        Devices; 1 where the data hold no link.

    Examples
    --------
    >>> import cohort
    >>> cohort.serving.most_devices(cohort.accelerator("GB200 (per GPU)"))
    72
    """
    if device.link is None:
        return 1
    return device.joined if device.joined > 1 else HOST


def device_group(
    model: str | ModelSpec,
    accelerator: str | Accelerator,
    tensor_parallel: int,
    weight_dtype: str,
    kv_dtype: str,
    shares: Attained | None,
) -> DeviceGroup:
    """Return the devices that share a model, once what was asked for has been checked.

    Parameters
    ----------
    model, accelerator, tensor_parallel, weight_dtype, kv_dtype, shares
        As `cohort.serving.serve` takes them; `shares` is its ``attained``.

    Returns
    -------
    DeviceGroup
        The devices; kept for the next request.

    Raises
    ------
    UnknownNameError
        If a name is not known.
    ParameterError
        If the devices cannot share the layers.
    """
    spec = model if isinstance(model, ModelSpec) else read_model(model)
    device = as_accelerator(accelerator)
    one_of("weight_dtype", weight_dtype, precisions())
    one_of("kv_dtype", kv_dtype, precisions())
    most = most_devices(device)
    devices = integer("tensor_parallel", tensor_parallel, 1, most, unit=f"devices for {device.name}")
    for heads in spec.attention_heads:
        if heads % devices:
            raise ParameterError(
                f"tensor_parallel is {devices}, but must divide the {heads} attention heads of {spec.name}"
            )
    return _kept(spec, device, devices, weight_dtype, kv_dtype, shares or attained())


_kept = lru_cache(maxsize=256)(DeviceGroup)
