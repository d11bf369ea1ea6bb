"""The memory of a training step: weights, gradients, optimiser, and what the backward pass needs kept.

Every tensor that the backward pass reads is counted, as PyTorch's modules keep them. The peak is that of the
phase that takes most: the end of the forward pass, with all copies that autocast has made; the loss, with all
activations and the scores of the whole vocabulary; or the end of the backward pass, with all gradients.
"""

from __future__ import annotations

from dataclasses import dataclass

from cohort.architecture.attention import GroupedQuery
from cohort.architecture.decoder import ModelSpec
from cohort.architecture.formats import WeightFormat, weight_format
from cohort.architecture.latent import Latent
from cohort.architecture.layers import Layer
from cohort.architecture.mixing import Mixer
from cohort.architecture.registered import model as read_model
from cohort.errors import integer, one_of
from cohort.errors.arguments import explain
from cohort.numeric import LIMIT, MAX_CONTEXT, ceil_div
from cohort.serving.activations import Kept, feedforwards
from cohort.serving.layouts import Layout, held, stages
from cohort.serving.modules import LIBRARIES, Traits, Types, module_traits
from cohort.serving.recipes import (
    OPTIMISERS,
    OUTER,
    RECIPES,
    WORKSPACE,
    Recipe,
    beside_adapters,
    state_bytes,
)

RECOMPUTED = ("none", "selective", "parts", "full")
PARTS = 4  # that are computed again one by one: two normalisations, attention, feed-forward
ADAPTED = ("all", "attention", "queries and values")
LOGIT_BYTES = 12  # log-probabilities in fp32, their gradient, and that of the scores
READ_BYTES = 10  # before that: scores in bf16 and fp32, and log-probabilities


@dataclass(frozen=True, slots=True)
class TrainingMemory:
    """What one device holds in a step of training, in bytes.

    Attributes
    ----------
    weights, gradients, optimiser : int
        Of the weights, of the gradients, and of the optimiser's states with the master copy.
    casts : int
        Copies of weights in the type they are multiplied in, and layers that are gathered for a moment.
    activations : int
        What all layers keep for the backward pass.
    logits : int
        Scores of the vocabulary and what the loss makes of them.
    peak : int
        The most that is allocated at once.
    phase : str
        When that is: ``forward``, when the loss has been read off the scores; ``loss``, when the backward
        pass begins there; ``scores``, when it undoes scores of attention; or ``gradients``, at its end.
    workspace : int
        What PyTorch sets aside for products of matrices.
    """

    weights: int
    gradients: int
    optimiser: int
    casts: int
    activations: int
    logits: int
    peak: int
    phase: str
    workspace: int = 0


def training_memory(
    model: str | ModelSpec,
    batch: int = 1,
    length: int = 2048,
    *,
    recipe: str = "bf16",
    optimiser: str = "adamw",
    recompute: str = "none",
    adapter_rank: int = 0,
    adapter_targets: str = "all",
    adapter_bytes: int = 4,
    adapter_dropout: bool = False,
    frozen_inputs: int = 0,
    base_format: str | WeightFormat = "bf16",
    fused_attention: bool = True,
    score_bytes: int | None = None,
    copied_heads: bool = False,
    fused_norms: bool = False,
    fused_gates: bool = False,
    whole_logits: bool = True,
    logit_bytes: int | None = None,
    data_parallel: int = 1,
    zero: int = 0,
    tensor_parallel: int = 1,
    sequence_parallel: bool = False,
    pipeline_parallel: int = 1,
    microbatches: int = 1,
    accumulated: bool = False,
    workspace: int = WORKSPACE,
    buffers: int = 0,
    product_bytes: int = 2,
    library: str = "transformers",
) -> TrainingMemory:
    """Return what one device holds in a step of training, at its peak.

    Parameters
    ----------
    model : str or ModelSpec
        A model, or its name.
    batch, length : int
        Sequences that one device reads at once, and their tokens.
    recipe : str
        One of `RECIPES`: ``bf16`` (everything in 16 bits), ``autocast`` (weights in fp32, multiplied in
        bf16; beside adapters, products in bf16 whatever the weights are stored in), ``mixed`` (bf16 with a
        master copy in fp32), ``mixed_fp32`` (with gradients summed in fp32 too).
    optimiser : str
        One of `OPTIMISERS`. Muon keeps one state for matrices of the layers and two for the rest; Adafactor
        keeps sums of rows and columns alone :cite:p:`shazeer2018adafactor`.
    recompute : str
        ``none``; ``full``, where a layer keeps its input alone; ``parts``, where each normalisation,
        attention and feed-forward network of a layer keeps its own; ``selective``, where the scores of
        attention are computed again :cite:p:`korthikanti2022recomputation`.
    adapter_rank : int
        Rank of LoRA adapters; 0 trains all weights :cite:p:`hu2021lora`.
    adapter_targets : str
        ``all`` matrices of the layers, those of ``attention``, or those of its ``queries and values``.
    adapter_bytes : int
        Bytes of a number of an adapter. 4, as peft makes them, which casts the input of every adapted matrix
        by itself; or 2, where adapters read what is there.
    adapter_dropout : bool
        Whether each adapter reads a thinned copy of its input, which is kept with its mask.
    frozen_inputs : int
        How many times what a frozen matrix reads is held although no gradient needs it: twice in bitsandbytes
        before 0.43, which keeps it in the graph, and the graph until the next step has its own.
    base_format : str or WeightFormat
        How frozen weights are stored beside adapters, such as ``nf4`` for QLoRA.
    fused_attention : bool
        Whether scores stay on the chip; if not, each layer keeps the square of the length for each head.
    score_bytes : int, optional
        Bytes of each score that is kept, by default as transformers' eager attention does in this family: 6
        for the softmax in fp32 and in 16 bits; 8 where scores are capped, for the hyperbolic tangent; 2 for
        gpt-oss.
    copied_heads : bool
        Whether keys and values are copied for each head of the queries that reads them.
    fused_norms : bool
        Whether a normalisation keeps its input alone, and not a copy in fp32 and its product too.
    fused_gates : bool
        Whether the activation of a gate is computed again in the backward pass, as Liger's kernel does.
    whole_logits : bool
        Whether the scores of all tokens over the vocabulary are held at once; if not, in chunks.
    logit_bytes : int, optional
        Bytes of each score, by default as transformers' loss takes them in this family: 12 in fp32, and 2
        more where scores are capped. 14 where the scores in 16 bits are held all the while, 6 where all is in
        16 bits, 4 where moreover gradients are made in chunks.
    data_parallel, zero : int
        Devices with batches of their own, and which stage of ZeRO divides among them: 1 the optimiser, 2 the
        gradients too, 3 the weights too, as FSDP does :cite:p:`rajbhandari2020zero`.
    tensor_parallel, pipeline_parallel : int
        As in `Layout`.
    sequence_parallel : bool
        Whether what tensor parallelism leaves whole is divided along the sequence.
    microbatches : int
        Batches that a pipeline's first stage holds at once, at most one a stage.
    accumulated : bool
        Whether gradients of earlier batches are kept when a batch is read.
    workspace : int
        Bytes that are set aside for products of matrices: by default what PyTorch takes on Hopper.
    buffers : int
        Bytes that are set aside for communication while gradients are made, such as the two buckets of
        DeepSpeed.
    product_bytes : int
        Bytes of a number that a trained matrix keeps of its input: 1 where it is multiplied in fp8, as
        Transformer Engine does.
    library : str
        Whose modules they are: ``transformers`` or ``litgpt``.

    Returns
    -------
    TrainingMemory

    Raises
    ------
    UnknownNameError
        If the model or a format is not known.
    ParameterError
        If an argument is out of its range.

    Examples
    --------
    >>> import cohort
    >>> found = cohort.serving.training_memory("llama-3-8b", batch=1, length=2048, recompute="full")
    >>> round(found.peak / 2**30), found.phase
    (60, 'gradients')

    See Also
    --------
    cohort.serving.memory_budget : What serving takes.
    """
    spec = model if isinstance(model, ModelSpec) else read_model(model)
    family = module_traits(spec.family, one_of("library", library, LIBRARIES))
    numbers = _whole(
        batch=batch, length=length, adapter_rank=adapter_rank, adapter_bytes=adapter_bytes, zero=zero,
        frozen_inputs=frozen_inputs, data_parallel=data_parallel, product_bytes=product_bytes,
        score_bytes=family.score if score_bytes is None else score_bytes,
        logit_bytes=_logit_bytes(family) if logit_bytes is None else logit_bytes, workspace=workspace,
        microbatches=microbatches, buffers=buffers,
    )  # fmt: skip
    return _Step(
        spec=spec,
        family=family,
        whole=numbers,
        recipe=RECIPES[one_of("recipe", recipe, list(RECIPES))],
        optimiser=one_of("optimiser", optimiser, OPTIMISERS),
        recompute=one_of("recompute", recompute, RECOMPUTED),
        targets=one_of("adapter_targets", adapter_targets, ADAPTED),
        dropout=adapter_dropout,
        base=weight_format(base_format),
        fused_attention=fused_attention,
        copied_heads=copied_heads,
        fused=(fused_norms, fused_gates),
        whole_logits=whole_logits,
        layout=Layout(tensor_parallel, pipeline_parallel),
        sequence_parallel=sequence_parallel,
        accumulated=accumulated,
    ).memory()


# Whole numbers that are given: the least, the most, and their unit.
BOUNDS: dict[str, tuple[int, int, str]] = {
    "batch": (1, LIMIT, "sequences"),
    "length": (1, MAX_CONTEXT, "tokens"),
    "adapter_rank": (0, LIMIT, ""),
    "adapter_bytes": (2, 4, "bytes"),
    "frozen_inputs": (0, 2, ""),
    "score_bytes": (1, 64, "bytes"),
    "logit_bytes": (1, 64, "bytes"),
    "data_parallel": (1, LIMIT, "devices"),
    "zero": (0, 3, "as a stage of ZeRO"),
    "microbatches": (1, LIMIT, ""),
    "workspace": (0, LIMIT, "bytes"),
    "buffers": (0, LIMIT, "bytes"),
    "product_bytes": (1, 2, "bytes"),
}


def _whole(**given: int) -> dict[str, int]:
    """Return the whole numbers that are given, each within its bounds."""
    return {
        name: integer(name, value, BOUNDS[name][0], BOUNDS[name][1], unit=BOUNDS[name][2])
        for name, value in given.items()
    }


def _logit_bytes(family: Traits) -> int:
    """Bytes of each score of the vocabulary: two more where its hyperbolic tangent is kept."""
    return LOGIT_BYTES + (2 if family.capped else 0)


@dataclass(frozen=True)
class _Step:
    spec: ModelSpec
    family: Traits
    whole: dict[str, int]
    recipe: Recipe
    optimiser: str
    recompute: str
    targets: str
    dropout: bool
    base: WeightFormat
    fused_attention: bool
    copied_heads: bool
    fused: tuple[bool, bool]  # normalisations, gates
    whole_logits: bool
    layout: Layout
    sequence_parallel: bool
    accumulated: bool

    @property
    def rank(self) -> int:
        """Rank of the adapters; 0 where all weights are trained."""
        return self.whole["adapter_rank"]

    @property
    def zero(self) -> int:
        """The stage of ZeRO."""
        return self.whole["zero"]

    @property
    def divided(self) -> int:
        """Devices with batches of their own."""
        return self.whole["data_parallel"]

    @property
    def tokens(self) -> int:
        """Tokens that a device reads at once."""
        return self.whole["batch"] * self.whole["length"]

    # --- weights

    @property
    def _stage_layers(self) -> range:
        """The first stage: it has as many layers as any, and the activations of most batches."""
        return stages(self.spec, self.layout)[0]

    def _counts(self) -> dict[str, float]:
        found: dict[str, float] = {}
        for tensor in held(self.spec, self.layout, self._stage_layers):
            found[tensor.kind] = found.get(tensor.kind, 0.0) + tensor.weights
        return found

    def _base_bytes(self) -> float:
        """Bytes of the weights in the format that they are stored in beside adapters."""
        count = len(self.spec.layers)
        return sum(
            float(self.base.bits(tensor.kind, tensor.layer, count, tensor.row)) / 8 * tensor.weights
            for tensor in held(self.spec, self.layout, self._stage_layers)
        )

    def _adapters(self) -> float:
        """Weights of the adapters: rank times the sum of both sides of every matrix."""
        layers = self._stage_layers
        sides = sum(self._sides(self.spec.layers[number]) for number in layers)
        return self.rank * sides / self.layout.tensor

    def _sides(self, layer: Layer) -> int:
        hidden = self.spec.hidden
        whole = self.targets != "queries and values"
        total = sum((_attention_sides if whole else _two_sides)(each, hidden) for each in layer.mixers)
        if self.targets == "all":
            dense, experts = feedforwards(layer)
            if dense:
                total += (3 if dense.gated else 2) * (hidden + dense.width)
            if experts:
                times = (experts.count + experts.shared) * (3 if experts.gated else 2)
                total += times * (hidden + experts.width)
        return total

    @property
    def _trained(self) -> Recipe:
        """Bytes for each weight that is trained."""
        if not self.rank:
            return self.recipe
        return beside_adapters(self.recipe, self.whole["adapter_bytes"], self.base.bits("up") >= 32)

    @property
    def _again(self) -> bool:
        return self.recompute in ("full", "parts")

    @property
    def _kept(self) -> Kept:
        """What layers keep of a token for the backward pass."""
        tensor, own, whole = self.layout.tensor, self._trained, self.whole
        return Kept(
            hidden=self.spec.hidden,
            length=whole["length"],
            family=self.family,
            types=Types(
                stream=own.stream,
                autocast=own.autocast,
                frozen=self.rank > 0,
                adapter=whole["adapter_bytes"],
                rank=self.rank,
                dropout=self.dropout and self.rank > 0,
                product=whole["product_bytes"],
            ),
            tensor=tensor,
            along=tensor if self.sequence_parallel else 1,
            forward_adapted=self.targets == "all",
            output_adapted=self.targets != "queries and values",
            frozen_inputs=whole["frozen_inputs"] if self.rank else 0,
            scores=0 if self.fused_attention or self.recompute == "selective" else whole["score_bytes"],
            copied_heads=self.copied_heads,
            norm="fused" if self.fused[0] else self.family.norm,
            fused_gates=self.fused[1],
        )

    def memory(self) -> TrainingMemory:
        counts, own, share = self._counts(), self._trained, self.divided
        whole = sum(counts.values())
        trained = self._adapters() if self.rank else whole
        frozen = self._base_bytes() if self.rank else 0.0
        weights = (frozen + own.weight * trained) / (share if self.zero >= 3 else 1)
        gradients = own.gradient * trained / (share if self.zero >= 2 else 1)
        states = state_bytes(self.optimiser, own.state, trained, None if self.rank else counts)
        optimiser = (states + own.master * trained) / (share if self.zero >= 1 else 1)
        gathered = self._gathered(counts, frozen / whole)
        cast = own.cast * whole  # of all weights, until the forward pass ends
        kept_casts = own.cast * (counts.get("head", 0.0) or counts.get("tied", 0.0)) if self._again else cast
        activations = self._activations()
        logits, read = (
            self._logits(self.whole["logit_bytes"]),
            self._logits(min(self.whole["logit_bytes"], READ_BYTES)),
        )
        held_always = weights + optimiser + self.whole["workspace"]
        resident = gradients if own.resident or self.accumulated else 0.0
        phases = {
            "loss": self.whole["buffers"] + resident + gathered + kept_casts + activations + logits,
            "forward": resident + gathered + cast + activations + read,
            "scores": self.whole["buffers"] + resident + gathered + kept_casts + activations + self._undone(),
            "gradients": self.whole["buffers"] + gradients + self._at_the_end(counts),
        }
        phase = max(phases, key=lambda each: phases[each])
        return TrainingMemory(
            round(weights), round(gradients), round(optimiser), round(gathered + kept_casts),
            round(activations), round(logits), round(held_always + phases[phase]), phase,
            self.whole["workspace"],
        )  # fmt: skip

    @property
    def _layers(self) -> list[Layer]:
        return [self.spec.layers[number] for number in self._stage_layers]

    def _gathered(self, counts: dict[str, float], width: float) -> float:
        """Bytes of weights that are divided among devices, and whole on each while they are used.

        A layer in use and the next; embedding and head stay so, with a gradient. Beside adapters layers are
        gathered as they are stored, and neither has a gradient.
        """
        if self.zero < 3:
            return 0.0
        largest = max(each.parameters(self.spec.hidden) for each in self._layers) / self.layout.tensor
        outer = sum(counts.get(kind, 0.0) for kind in OUTER)
        return 2 * (width if self.rank else 2.0) * largest + 2 * (1 if self.rank else 2) * outer

    def _activations(self) -> float:
        """Bytes of what all layers keep for the backward pass."""
        layers, kept = self._layers, self._kept
        tokens = self.tokens * min(self.whole["microbatches"], self.layout.pipeline)
        if self._again:
            along = self.layout.tensor if self.sequence_parallel else 1
            stream = kept.types.stream
            inputs = stream if self.recompute == "full" else PARTS / 2 * (stream + 2)
            return tokens * len(layers) * self.spec.hidden * inputs / along
        return tokens * (sum(map(kept.per_token, layers)) - kept.before_first(layers[0]))

    def _logits(self, each: int) -> float:
        if self.layout.pipeline > 1:
            return 0.0  # the last stage's, which holds fewer activations
        rows = self.spec.head_rows or self.spec.vocabulary
        scores = self.tokens * rows / self.layout.tensor
        norm = self.tokens * self._kept.last()
        return scores * each + norm if self.whole_logits else norm

    def _undone(self) -> float:
        """Bytes beside activations while the softmax of the last layer's written scores is undone.

        Their gradient in 16 bits, in fp32, and what the softmax makes of it.
        """
        if not self._kept.scores:
            return 0.0
        heads = max(int(each.heads) for each in self._layers[-1].mixers)
        wide = 4 if self.family.score > 2 else 2
        return self.tokens * self.whole["length"] * heads * (2 + 2 * wide) / self.layout.tensor

    def _at_the_end(self, counts: dict[str, float]) -> float:
        """Bytes beside gradients: both of a tied embedding, or the last layer that is undone."""
        own = self._trained
        summed = 0.0 if self.rank else own.gradient * own.summed * counts.get("tied", 0.0)
        later = 0.0 if self.rank else own.gradient * counts.get("embedding", 0.0)
        layer = self.tokens * self._kept.per_token(self._layers[0])
        return max(summed, layer - later / (self.divided if self.zero >= 2 else 1))


def _two_sides(mixer: Mixer, hidden: int) -> int:
    """Both sides of the matrices of queries and of values."""
    if not isinstance(mixer, GroupedQuery):
        return _attention_sides(mixer, hidden)
    return 2 * hidden + mixer.heads * mixer.head_dim + mixer.kv_heads * (mixer.value_dim or mixer.head_dim)


def _attention_sides(mixer: Mixer, hidden: int) -> int:
    """Both sides of every matrix of an attention, added up."""
    if isinstance(mixer, GroupedQuery):
        value = mixer.value_dim or mixer.head_dim
        made = mixer.heads * mixer.head_dim + mixer.kv_heads * (mixer.head_dim + value)
        return 3 * hidden + made + mixer.heads * value + hidden
    if isinstance(mixer, Latent):
        query = mixer.heads * (mixer.nope_dim + mixer.rope_dim)
        made = hidden + query if mixer.q_rank is None else hidden + 2 * mixer.q_rank + query
        made += hidden + 2 * mixer.kv_rank + mixer.rope_dim + mixer.heads * (mixer.nope_dim + mixer.value_dim)
        return made + mixer.heads * mixer.value_dim + hidden
    return ceil_div(mixer.matmul_parameters(hidden), hidden) + hidden


explain(__name__)
