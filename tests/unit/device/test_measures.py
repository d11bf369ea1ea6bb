"""The device script with PyTorch, on tiny shapes: what it computes is right before it is timed."""

from __future__ import annotations

import pytest
from reading import benchmark, table

import cohort

torch = pytest.importorskip("torch")

attention, bench, decoder, experts, products, training, rows, measure = (
    benchmark(f"device.{name}")
    for name in ("attention", "bench", "decoder", "experts", "products", "training", "rows", "measure")
)
CPU = torch.device("cpu")
TINY = bench.Bench(CPU, tiny=True, least_seconds=0.001, metered_seconds=0.001)


def test_both_ways_to_attend_agree():
    inputs = [torch.randn(1, 4, 33, 16, dtype=torch.float64) for _ in range(3)]
    assert torch.allclose(attention.naive(*inputs), attention.fused(*inputs), atol=1e-12)


def test_a_query_of_a_group_attends_as_each_head_would():
    queries = torch.randn(2, 8, 16, dtype=torch.float64)
    keys, values = (torch.randn(2, 2, 40, 16, dtype=torch.float64) for _ in range(2))
    weights = torch.einsum("bhd,bhtd->bht", queries, keys.repeat_interleave(4, 1)) / 4
    expected = torch.einsum("bht,bhtd->bhd", weights.softmax(-1), values.repeat_interleave(4, 1))
    assert torch.allclose(attention.grouped_decode(queries, keys, values), expected, atol=1e-12)


def test_grouped_products_are_those_of_each_expert():
    rows_, up = torch.randn(6, 16).bfloat16(), torch.randn(3, 16, 32).bfloat16()
    made = experts.grouped(rows_, up, torch.tensor([2, 2, 6], dtype=torch.int32))
    expected = torch.cat([rows_[:2] @ up[0], rows_[2:] @ up[2]])
    assert torch.allclose(made.float(), expected.float(), atol=0.1, rtol=0.02)


def test_every_token_reaches_as_many_experts_as_are_active():
    layer = experts.Layer(8, 2, 16, 16)
    counts = experts.routed(layer, 5, seed=0)
    assert (int(counts.sum()), len(counts), int(counts.max()) <= 5) == (10, 8, True)
    read = [int((experts.routed(layer, 4, seed) > 0).sum()) for seed in range(400)]
    assert sum(read) / len(read) == pytest.approx(cohort.experts.coverage(8, 2, 4), rel=0.03)


def test_shapes_of_products_are_those_of_the_shipped_table():
    shipped = {row["case"] for row in table("device_measurements") if row["group"] == "product"}
    assert shipped == {
        f"{model} {name} {height}x{width}"
        for model in products.MODELS
        for name, (height, width) in products.shapes(model).items()
    }


def test_sizes_are_those_of_the_model():
    spec = cohort.model("llama-3-8b")
    sizes = decoder.Sizes.of(spec)
    assert sizes.layer_parameters == 32 * spec.layers[0].matmul_parameters(4096)


def test_a_step_continues_what_a_prompt_read():
    """The last token of a prompt, read alone against the cache of the others, gets the same output."""
    torch.manual_seed(0)
    sizes = decoder.Sizes.of(cohort.model("llama-3-8b"), 1, tiny=True)
    block = decoder.Block(sizes, CPU).double()
    x = torch.randn(2, 9, sizes.hidden, dtype=torch.float64)
    turn = decoder.turns(sizes, 0, 9, CPU).double()
    with torch.no_grad():
        whole = block(x, turn)
        _, keys, values = block.heads(x, turn)
        cache = torch.stack([keys, values])
        cache[:, :, :, -1] = 0  # what the step has to write
        last = block.step(x[:, -1:], turn[:, -1:], cache)
    assert torch.allclose(last, whole[:, -1:], atol=1e-10)


def test_a_rotation_keeps_lengths_and_depends_on_the_distance():
    sizes = decoder.Sizes.of(cohort.model("llama-3-8b"), 1, tiny=True)
    turn = decoder.turns(sizes, 0, 8, CPU).double()
    one, other = (torch.randn(1, 1, 1, sizes.head, dtype=torch.float64).expand(1, 1, 8, -1) for _ in range(2))
    scores = decoder.rotated(one, turn)[0, 0] @ decoder.rotated(other, turn)[0, 0].T
    assert torch.allclose(scores.diagonal(2), scores[0, 2].expand(6), rtol=0.02, atol=0.05)


def test_operations_of_training_are_those_of_the_products():
    sizes = decoder.Sizes(8, 2, 1, 4, 16, 3, 32)
    weights = 3 * ((8 + 8) * 8 + 8 * 8 + 2 * 16 * 8 + 16 * 8)
    assert training.flop(sizes, 2, 4) == 2 * weights * 8 + 3 * 2 * 2 * 8 * 16


def test_a_step_of_training_changes_the_weights_and_a_forward_pass_does_not():
    sizes = decoder.Sizes.of(cohort.model("llama-3-8b"), 1, tiny=True)
    blocks = torch.nn.ModuleList([decoder.Block(sizes, CPU).float()])
    turn = decoder.turns(sizes, 0, 4, CPU).float()
    parts = training.ways(blocks, torch.randn(1, 4, sizes.hidden), turn)
    before = blocks[0].qkv.detach().clone()
    for name, changed in (("forward", False), ("forward and backward", False), ("step with optimiser", True)):
        parts[name][0]()
        assert bool((blocks[0].qkv != before).any()) is changed, name


def test_a_call_is_timed_by_its_own_clock(monkeypatch):
    clock = [0.0]

    def work() -> None:
        clock[0] += 0.25

    monkeypatch.setattr(bench.time, "perf_counter", lambda: clock[0])
    assert TINY.timed(work).seconds == 0.25

    class Meter:
        def joules(self):
            return 40 * clock[0]

    found = bench.Bench(CPU, Meter(), metered_seconds=2).metered(work)
    assert (found.seconds, found.joules) == (0.25, 10)


def test_the_whole_script_writes_every_group_that_a_machine_without_an_accelerator_has(tmp_path):
    out = tmp_path / "out.csv"
    measure.main(["--out", str(out), "--device", "cpu", "--run", "here"])
    found = list(rows.read(out))
    assert {run for run, _ in found} == {"here"}
    assert {row.group for _, row in found} >= {"ceiling", "product", "attention", "decode", "training"}
    assert all(row.value > 0 for _, row in found if row.quantity.startswith("time"))
    assert "tiny shapes" in rows.runs_file(out).read_text()


def test_a_group_that_fails_is_named_and_the_others_go_on(monkeypatch, capsys):
    class Broken:
        @staticmethod
        def measure(bench):
            yield rows.Case("product", "x").row("time", 1.0)
            raise RuntimeError("no such type\nat line 3")

    monkeypatch.setitem(measure.sys.modules, "device.products", Broken)
    assert len(list(measure.groups(["products", "training"], TINY, stopped := []))) > 1
    assert stopped == ["products"]
    said = capsys.readouterr()
    assert "products: stopped after 1 rows: no such type\n" in said.err
    assert "training: " in said.out


def test_a_device_without_fp8_measures_the_rest(monkeypatch, capsys):
    def refused(*_, **__):
        raise RuntimeError("torch._scaled_mm is only supported on newer devices\nmore")

    monkeypatch.setattr(torch, "_scaled_mm", refused)
    found = list(products.measure(TINY))
    assert {row.dtype for row in found} == {"bf16"}
    assert len(found) == 16
    assert "no fp8 products here: torch._scaled_mm is only" in capsys.readouterr().out


def test_a_square_that_does_not_fit_leaves_the_fused_way(monkeypatch):
    def full(*_):
        raise torch.cuda.OutOfMemoryError("out of memory")

    monkeypatch.setattr(attention, "naive", full)
    assert {row.case for row in attention.prompt(TINY, 32)} == {"flash"}


def test_a_batch_that_does_not_fit_is_left_out(capsys):
    def full(case, decoder):
        raise torch.cuda.OutOfMemoryError("out of memory")

    steps = benchmark("device.steps")
    assert list(steps.fitting(rows.Case("decode", "x", batch=9, context=8), None, full)) == []
    assert "left out, memory: x, 9 x 8" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "count"), [("ceilings", 6), ("products", 128), ("experts", 99), ("steps", 6), ("training", 6)]
)
def test_full_shapes_go_together(monkeypatch, name, count):
    """On a device that knows shapes and computes nothing; of steps one batch of each model."""
    steps = benchmark("device.steps")
    monkeypatch.setattr(steps, "STEPS", {model: cases[-1:] for model, cases in steps.STEPS.items()})
    meta = bench.Bench(torch.device("meta"), least_seconds=1e-6)
    assert len(list(benchmark(f"device.{name}").measure(meta))) == count
