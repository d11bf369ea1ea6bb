"""Cards of readers: memory as drivers print it in public logs, and peaks by the rule of their generation."""

from __future__ import annotations

import re

import pytest
from reading import table
from rows import each_of

import cohort
from cohort.errors import NotInDataError
from cohort.registry.devices import sixteen_bit_type
from cohort.serving import memory_budget
from cohort.units import MIB

# Lines as `nvidia-smi --query-gpu=name,memory.total --format=csv,noheader` prints them, in public logs.
NVIDIA_SMI = """\
Tesla P40, 23040 MiB
Tesla P100-PCIE-16GB, 16384 MiB
Tesla V100-SXM2-16GB, 16384 MiB
Tesla V100-PCIE-16GB, 16384 MiB
Tesla V100-PCIE-32GB, 32768 MiB
NVIDIA GeForce RTX 2080 Ti, 11264 MiB
NVIDIA A800-SXM4-80GB, 81920 MiB
NVIDIA A30, 24576 MiB
NVIDIA A10G, 23028 MiB
NVIDIA A16, 15356 MiB
NVIDIA A2, 15356 MiB
NVIDIA RTX A4000, 16376 MiB
NVIDIA RTX A5000, 24564 MiB
NVIDIA L40, 46068 MiB
NVIDIA RTX 4000 Ada Generation, 20475 MiB
NVIDIA RTX 5000 Ada Generation, 32760 MiB
NVIDIA RTX 6000 Ada Generation, 49140 MiB
NVIDIA GeForce RTX 3060, 12288 MiB
NVIDIA GeForce RTX 3080, 10240 MiB
NVIDIA GeForce RTX 3080 Ti, 12288 MiB
NVIDIA GeForce RTX 3090 Ti, 24564 MiB
NVIDIA GeForce RTX 4060 Ti, 16380 MiB
NVIDIA GeForce RTX 4070, 12282 MiB
NVIDIA GeForce RTX 4070 Ti, 12282 MiB
NVIDIA GeForce RTX 4070 Ti SUPER, 16376 MiB
NVIDIA GeForce RTX 4080, 16376 MiB
NVIDIA GeForce RTX 4080 SUPER, 16376 MiB
NVIDIA GeForce RTX 5060 Ti, 16311 MiB
NVIDIA GeForce RTX 5070, 12227 MiB
NVIDIA GeForce RTX 5070 Ti, 16303 MiB
NVIDIA GeForce RTX 5080, 16303 MiB
NVIDIA GeForce RTX 5090, 32607 MiB
NVIDIA RTX PRO 5000 Blackwell, 48935 MiB
NVIDIA RTX PRO 6000 Blackwell Workstation Edition, 97887 MiB
NVIDIA H200 NVL, 143771 MiB
"""
# Lines in which llama.cpp and programs on torch print what they may allocate.
TOTALS = """\
Device 0: AMD Radeon RX 7900 XTX, gfx1100 (0x1100), VMM: no, Wave Size: 32, VRAM: 24560 MiB
Device 0: AMD Radeon AI PRO R9700, gfx1201 (0x1201), VMM: no, Wave Size: 32, VRAM: 32624 MiB
Device 0: AMD Radeon 8060S Graphics, gfx1151, Wave Size: 32, VRAM: 126976 MiB
Device 0: NVIDIA Thor, compute capability 11.0, VMM: yes, VRAM: 125748 MiB
Device 0: NVIDIA GeForce RTX 5060 Ti, compute capability 12.0, VMM: yes, VRAM: 15850 MiB
Device 0: NVIDIA GeForce RTX 5070 Ti, compute capability 12.0, VMM: yes, VRAM: 15842 MiB
Device 0: NVIDIA GeForce RTX 5070 Ti, compute capability 12.0, VMM: yes, VRAM: 15808 MiB
Device 0: NVIDIA L40S, compute capability 8.9, VMM: yes, VRAM: 45467 MiB
CUDA:0 (NVIDIA GeForce RTX 3060, 11908MiB)
CUDA:0 (NVIDIA GeForce RTX 3060, 11910MiB)
CUDA:0 (NVIDIA RTX A5000, 24248MiB)
CUDA:3 (NVIDIA RTX 6000 Ada Generation, 48539MiB)
CUDA:0 (Tesla P100-PCIE-16GB, 16269MiB)
"""


@each_of("line", NVIDIA_SMI.splitlines())
def test_memory_is_within_half_a_per_cent_of_what_the_driver_prints(line):
    name, _, total = line.rpartition(", ")
    assert cohort.accelerator(name).driver_bytes / MIB == pytest.approx(int(total.split()[0]), rel=0.005)


@pytest.mark.parametrize("line", TOTALS.splitlines())
def test_what_a_program_may_allocate_is_within_half_a_per_cent_of_what_it_prints(line):
    name, total = re.match(r".+?(?:: |\()([^,]+),.*?(\d+) ?MiB", line).groups()
    assert cohort.accelerator(name).allocatable_bytes / MIB == pytest.approx(int(total), rel=0.005)


def test_amd_lists_each_half_of_a_card_of_two():
    """rocm-smi prints 68,702,699,520 bytes for an MI210, and for each half of an MI250."""
    assert cohort.accelerator("MI210").driver_bytes == 68_702_699_520
    assert cohort.accelerator("MI250").driver_bytes == 2 * 68_702_699_520


# Shaders and boost clock in MHz, as sellers print them, and the 16-bit rate over that of the shaders: GeForce
# cards are held to twice while they accumulate in fp32, others run at four times, an A30 at sixteen.
SHADERS = {
    "RTX 3060 12GB": (3584, 1777, 2),
    "RTX 3080 10GB": (8704, 1710, 2),
    "RTX 3080 Ti": (10240, 1665, 2),
    "RTX 3090": (10496, 1695, 2),
    "RTX 3090 Ti": (10752, 1860, 2),
    "RTX 4060 Ti 16GB": (4352, 2535, 2),
    "RTX 4070": (5888, 2475, 2),
    "RTX 4070 Ti": (7680, 2610, 2),
    "RTX 4070 Ti Super": (8448, 2610, 2),
    "RTX 4080": (9728, 2505, 2),
    "RTX 4080 Super": (10240, 2550, 2),
    "RTX 4090": (16384, 2520, 2),
    "RTX 5060 Ti 16GB": (4608, 2572, 2),
    "RTX 5070": (6144, 2512, 2),
    "RTX 5070 Ti": (8960, 2452, 2),
    "RTX 5080": (10752, 2617, 2),
    "RTX 5090": (21760, 2407, 2),
    "L40": (18176, 2490, 2),
    "RTX 2080 Ti": (4352, 1545, 4),
    "A2": (1280, 1770, 4),
    "A16 (per GPU)": (1280, 1755, 4),
    "RTX A4000": (6144, 1560, 4),
    "RTX A5000": (8192, 1695, 4),
    "RTX 4000 Ada": (6144, 2175, 4),
    "RTX 5000 Ada": (12800, 2550, 4),
    "RTX 6000 Ada": (18176, 2505, 4),
    "RTX PRO 5000 Blackwell": (14080, 2290, 4),
    "A30": (3584, 1440, 16),
}


@each_of("name", SHADERS)
def test_the_16_bit_rate_follows_from_the_shaders(name):
    shaders, clock, times = SHADERS[name]
    assert cohort.accelerator(name).peak("fp16") == pytest.approx(
        2 * shaders * clock * 1e6 * times, rel=0.005
    )


@pytest.mark.parametrize("name", [name for name in SHADERS if SHADERS[name][2] == 2 and name != "L40"])
def test_a_geforce_card_is_held_back_in_16_bits_and_fp8_alone(name):
    peaks = dict(cohort.accelerator(name).peaks)
    times = {dtype: peaks[dtype] / peaks["bf16"] for dtype in peaks}
    rule = {"bf16": 1, "fp16": 1, "fp8": 2, "int8": 4, "fp4": 8}
    assert times == pytest.approx({dtype: rule[dtype] for dtype in peaks}, rel=0.01)
    assert ("fp8" in peaks) == (name >= "RTX 4") and ("fp4" in peaks) == (name >= "RTX 5")


@pytest.mark.parametrize(
    ("name", "dtype", "sparse"),
    [  # as makers print them, with sparsity
        ("RTX 5080", "fp4", 1801e12),
        ("RTX 5090", "fp4", 3352e12),
        ("RTX PRO 5000 Blackwell", "fp4", 2064e12),
        ("Jetson AGX Thor 128GB", "fp4", 2070e12),
        ("Jetson AGX Orin 64GB", "int8", 170e12),
        ("RTX A4000", "fp16", 153.4e12),
        ("A16 (per GPU)", "int8", 71.8e12),
    ],
)
def test_a_dense_peak_is_half_of_the_sparse_one(name, dtype, sparse):
    assert cohort.accelerator(name).peak(dtype) == pytest.approx(sparse / 2, rel=0.002)


@pytest.mark.parametrize(
    ("name", "units", "clock", "operations"),
    [
        ("RX 7900 XTX", 96, 2498, 512),
        ("Strix Halo", 40, 2900, 512),
        ("R9700", 64, 2920, 1024),
        ("MI210", 104, 1700, 1024),
        ("MI250", 208, 1700, 1024),
    ],
)
def test_the_16_bit_rate_of_amd_follows_from_its_units(name, units, clock, operations):
    assert cohort.accelerator(name).peak() == pytest.approx(units * clock * 1e6 * operations, rel=0.002)


def test_cards_before_ampere_multiply_in_fp16():
    for name in ("P100", "V100 SXM2 16GB", "V100 PCIe 16GB", "V100 PCIe 32GB", "T4", "RTX 2080 Ti"):
        card = cohort.accelerator(name)
        assert sixteen_bit_type(card) == "fp16" and {"bf16", "fp8"}.isdisjoint(dict(card.peaks))


def test_a_card_without_a_16_bit_rate_holds_a_model_and_has_no_speed():
    card = cohort.accelerator("P40")
    assert memory_budget("llama-3.1-8b", card, context=8192, weight_dtype="int4").fits
    with pytest.raises(NotInDataError, match="P40, but must be one whose 16-bit peak the data hold"):
        cohort.serving.serve("llama-3.1-8b", card, input_tokens=100, output_tokens=10)


@each_of("name", cohort.accelerators())
def test_every_card_says_what_fits_it(name):
    """Eight billion parameters in 4 bits fit the smallest card; the longest context grows with the memory."""
    found = memory_budget("llama-3.1-8b", name, context=2048, weight_dtype="int4")
    assert found.fits and found.memory == cohort.accelerator(name).driver_bytes


def test_the_host_shares_its_memory_with_some():
    unified = {name for name in cohort.accelerators() if cohort.accelerator(name).unified}
    assert unified == {
        *("DGX Spark (GB10)", "Jetson AGX Thor 128GB", "Jetson AGX Orin 64GB", "Strix Halo 128GB"),
        *("M2 Ultra (76-core)", "M3 Ultra (80-core)", "M4 Max (40-core)"),
    }


def test_what_was_derived_or_is_doubted_says_how():
    for row in table("accelerators"):
        assert row["source"] and (row["driver_memory_source"] or not row["driver_memory_mib"])
        assert row["status"] == "stated" or len(row["note"]) > 10, row["name"]
