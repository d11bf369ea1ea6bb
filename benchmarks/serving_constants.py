"""The constants that `calibrate_serving.py` fits: of what, and where each is sought; and those given."""

from __future__ import annotations

from dataclasses import dataclass

FIELDS = [
    "generation", "quantity", "of", "device", "engine", "value", "unit", "method", "rows", "sources", "note",
]  # fmt: skip
UNITS = {"launch": "us", "sequence": "us", "all-reduce": "us", "first": "ms"}


@dataclass(frozen=True, slots=True)
class Constant:
    """One constant to fit: of what, for which devices and engine, and where it is sought.

    ``width`` is that of the penalty in the logarithm: 0 where there is none.
    """

    quantity: str
    of: str
    start: float
    low: float
    high: float
    width: float = 0.0
    device: str = ""
    engine: str = ""
    note: str = ""

    @property
    def unit(self) -> str:
        """Unit of the value."""
        return UNITS.get(self.quantity, "ratio" if self.quantity in RATIOS else "fraction")

    def row(self, generation: str, value: float, method: str, rows: int, sources: str) -> dict[str, str]:
        """Return the constant as a row of the table."""
        made = [generation, self.quantity, self.of, self.device, self.engine, repr(value), self.unit]
        return dict(zip(FIELDS, [*made, method, str(rows), sources, self.note], strict=True))


RATIOS = ("pace", "streams", "corner", "bandwidth", "rate", "spread")
KERNELS = [
    Constant("weights", "16-bit", 0.85, 0.3, 0.97, note="of the memory's bandwidth"),
    Constant("weights", "fp8", 0.85, 0.3, 0.97, note="of the memory's bandwidth"),
    Constant("matrices", "16-bit", 0.88, 0.3, 1.1, note="of the fastest matrix product"),
    Constant("matrices", "fp8", 0.88, 0.3, 1.1, note="of the fastest matrix product"),
    Constant("cache", "", 0.9, 0.3, 0.97, note="of the memory's bandwidth"),
    Constant("scores", "prompts", 0.6, 0.1, 1.2, note="of the fastest matrix product; causal"),
    Constant("experts", "read", 0.9, 0.3, 1.1, note="of the bandwidth of other weights"),
    Constant("experts", "matrices", 0.6, 0.1, 1.1, note="of the rate of other products"),
    Constant("launch", "product", 3.5, 0.5, 15, note="a product with weights"),
    Constant("launch", "grouped", 6, 0.5, 50, note="attention of grouped queries"),
    Constant("launch", "routing", 25, 1, 200, note="a layer of experts, beside its two products"),
    Constant("launch", "layer", 10, 0.5, 50, note="all else in a layer"),
    Constant("streams", "", 20, 2, 120, note="hidden states read or written in a layer"),
]  # fmt: skip
ENGINE_LOSS = [
    Constant("weights", "fp4", 0.8, 0.4, 0.97, 0.2, note="of the bandwidth, where fp4 is multiplied as such"),
    Constant("weights", "fp4 alone", 0.7, 0.2, 0.97, 0.2, note="of the bandwidth; multiplied in 16 bits"),
    Constant("weights", "int4", 0.7, 0.2, 0.97, 0.2, note="of the bandwidth; multiplied in 16 bits"),
    Constant("weights", "int4", 0.6, 0.1, 0.97, 0.3, "fp4", note="of the bandwidth; multiplied in 16 bits"),
    Constant("bandwidth", "device", 0.95, 0.6, 1.02, 0.1, "fp4", note="times the shares of others"),
    Constant("matrices", "fp4", 0.7, 0.1, 1.1, 0.3, note="of the fastest product in fp8, doubled"),
    Constant("scores", "grouped", 0.1, 0.01, 0.6, 0.5, note="of the 16-bit peak; a query and its cache"),
    Constant("scores", "latent", 0.5, 0.05, 1, 0.4, note="of the 16-bit peak; a query and its cache"),
    Constant("scores", "recurrent", 0.02, 0.003, 1, note="of the 16-bit peak"),
    Constant("experts", "uneven", 0.1, 0.01, 1, 0.7, note="added where whole experts are dealt out"),
    Constant("launch", "latent", 15, 0.5, 200, 0.5, note="latent attention"),
    Constant("launch", "recurrent", 15, 0.5, 200, 0.7, note="a recurrence"),
    Constant("launch", "prompt", 100, 1, 2000, 0.7, note="the least of a layer while a prompt is read"),
    Constant("all-reduce", "two", 7, 1, 50, 0.5, note="of nothing, between two devices"),
    Constant("all-reduce", "further", 0.5, 0.01, 10, 0.7, note="for each further device"),
    Constant("link", "", 0.6, 0.1, 1, 0.4, note="of the link's bandwidth"),
    Constant("pace", "engine", 1, 0.4, 2.5, 0.3, "", "SGLang", "times the launches of vLLM"),
    Constant("pace", "engine", 0.85, 0.4, 2.5, 0.3, "", "TensorRT-LLM", "times the launches of vLLM"),
]  # fmt: skip
ENGINES = ("vLLM", "SGLang", "TensorRT-LLM")
BY_ENGINE = [  # what vLLM's are stand for engines without rows
    constant
    for engine in ("", *ENGINES[1:])
    for constant in (
        Constant("sequence", "", 8, 0.1, 200, 0, "", engine, "a sequence in a step: sampling, and the host"),
        Constant("first", "", 50, 1, 500, 0, "", engine, "a request before its prompt is read and after"),
        Constant(
            "waiting", "apart", 0.1, 0.01, 1, 0, "", engine, "of others' prompts, before the first token"
        ),
        Constant(
            "waiting", "together", 0.3, 0.01, 1, 0, "", engine, "of others' prompts, before the first token"
        ),
        Constant(
            "waiting", "power", 0.8, 0.3, 1, 0.3, "", engine, "of the others, in how many are waited for"
        ),
    )
]
AMD = [
    Constant("bandwidth", "device", 0.9, 0.3, 1.02, 0.3, "AMD", "", "times the shares of others"),
    Constant("rate", "device", 0.9, 0.2, 1.5, 0.3, "AMD", "", "times the shares of others"),
    Constant("pace", "device", 1.3, 0.4, 4, 0.3, "AMD", "", "times the launches of others"),
    Constant("all-reduce", "two", 15, 1, 60, 0.5, "AMD", "", "of nothing, between two devices"),
    Constant("pace", "engine", 0.9, 0.3, 2.5, 0.3, "AMD", "ATOM", "times the launches of vLLM"),
    Constant("sequence", "", 8, 0.1, 200, 0, "AMD", "ATOM", "a sequence in a step: sampling, and the host"),
    # No row of AMD times the first token.
]
OLD = [
    Constant("weights", "16-bit", 0.8, 0.1, 1, note="of the memory's bandwidth"),
    Constant("weights", "fp8", 0.7, 0.1, 1, note="of the memory's bandwidth"),
    Constant("weights", "int8", 0.7, 0.1, 1, note="of the memory's bandwidth; multiplied in 16 bits"),
    Constant("weights", "int4", 0.6, 0.1, 1, note="of the memory's bandwidth; multiplied in 16 bits"),
    Constant("matrices", "16-bit", 0.8, 0.1, 1, note="of the fastest matrix product"),
    Constant("matrices", "fp8", 0.7, 0.1, 1, note="of the fastest matrix product"),
    Constant("scores", "grouped", 0.02, 1e-3, 1, note="of the 16-bit peak; a query and its cache"),
    Constant("launch", "layer", 50, 1, 500, note="a layer: launches, small kernels and synchronisation"),
    Constant("sequence", "", 5, 1e-2, 100, note="a sequence in a step: sampling, and the host"),
    Constant("all-reduce", "two", 10, 1, 100, note="of nothing, between any number of devices"),
    Constant("link", "", 0.5, 0.05, 1, note="of the link's bandwidth"),
]  # fmt: skip
# What a set takes as it is: the value, and why.
GIVEN: dict[str, list[tuple[Constant, float, str]]] = {}


def given(generation: str, quantity: str, of: str, value: float, note: str) -> None:
    """Put down a constant that is not fitted."""
    entry = Constant(quantity, of, value, value, value, note=note)
    GIVEN.setdefault(generation, []).append((entry, value, note))


SAME = "as of the type it is nearest to"
for _set in ("kernels", "2025", "2023"):
    given(
        _set,
        "corner",
        "",
        1 if _set == "2023" else 4,
        "times of reading and multiplying add up" if _set == "2023" else "a little above the larger of both",
    )
for _set in ("2025",):
    given(_set, "weights", "int8", 0.75, SAME)
for _quantity, _of in (
    ("scores", "recurrent"),
    ("scores", "latent"),
    ("experts", "read"),
    ("experts", "matrices"),
):
    given("2023", _quantity, _of, 0.667 if _of == "latent" else 1, "no row has it: not slower than others")
given("2023", "scores", "prompts", 1, "as fast as other products")
given("2023", "experts", "uneven", 0, "not known")
for _of in ("product", "grouped", "latent", "recurrent", "routing", "prompt"):
    given("2023", "launch", _of, 0, "within that of a layer")
    if _of == "prompt":
        given("kernels", "launch", _of, 0, "launched in one graph")
for _set in ("kernels", "2023"):
    for _of in ("apart", "together"):
        given(_set, "waiting", _of, 0, "not known")
    given(_set, "waiting", "power", 1, "not known")
    given(_set, "first", "", 0, "not known")
given("2023", "streams", "", 0, "within that of a layer")
given("2023", "all-reduce", "further", 0, "within that of two")
given("kernels", "sequence", "", 0, "no host")
given("kernels", "scores", "grouped", 0.2, "never binding in the rows")
