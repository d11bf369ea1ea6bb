"""`cohort.footprint` beside EcoLogits and CodeCarbon: the same measured points, errors and calls per second.

Run it as ``.venv/bin/python benchmarks/footprint_beside_peers.py``; EcoLogits joins where it is installed:
``pip install -e '.[peers]'``. Both are held against the measured energies of H100 that this book cites, of
the accelerators alone, at the measured batch and number of accelerators. Ours is shown as fitted, and with
each model predicted from the others. EcoLogits is given the parameters and the batch; it is also shown as it
answers by itself, with a batch of 64 and accelerators of its own choice. The published factors of CodeCarbon
are then held against those of this book. Times are CPU seconds of an answer with all of its footprint, over
the same measured services, each answer of a length of its own, so that none is looked up.
"""

from __future__ import annotations

import importlib.util
import math
import time
from collections.abc import Callable
from statistics import median, stdev

import cohort
from cohort.footprint import calibration, yardsticks
from cohort.footprint.calibration import Measured
from cohort.registry import facts
from cohort.units import JOULES_PER_KWH

ROUNDS = 9
CALLS = 700  # twenty of each measured service
SIZES = {row["model"]: (float(row["parameters"]) / 1e9, float(row["active_parameters"]) / 1e9)
         for row in facts.rows("inference_energy")}  # fmt: skip
ROWS = calibration.measured_energies("calibrate")


def line(name: str, ratios: list[float]) -> None:
    """Print how predicted energies lie to measured ones."""
    logs = [math.log(ratio) for ratio in ratios]
    error = median(abs(ratio - 1) for ratio in ratios)
    print(f"{name:52}{len(ratios):5}{math.exp(median(logs)):9.2f}{math.exp(stdev(logs)):9.2f}"
          f"{100 * error:11.0f} %{min(ratios):8.2f}{max(ratios):8.2f}")  # fmt: skip


def ecologits_joules(each: Measured, own_choice: bool) -> float:
    """Return the energy of EcoLogits for an output token in J, accelerators alone."""
    from ecologits.impacts import llm

    total, active = SIZES[each.model]
    count = each.accelerators
    if own_choice:
        memory = llm.model_required_memory(total, llm.MODEL_QUANTIZATION_BITS)
        count = llm.gpu_required_count(memory, llm.GPU_MEMORY)
    kwh = llm.gpu_energy(
        active, 1, llm.BATCH_SIZE if own_choice else each.concurrency, llm.GPU_ENERGY_ALPHA,
        llm.GPU_ENERGY_BETA, llm.GPU_ENERGY_GAMMA,
    )  # fmt: skip
    return float(count * kwh * JOULES_PER_KWH)


def seconds(call: Callable[[dict[str, str], int], object]) -> float:
    """Return the CPU seconds of a call for a service and a length, the least of several rounds."""
    best, services = float("inf"), [each for each in facts.rows("inference_energy") if each["concurrency"]]
    services = [each for each in services if each["use"] == "calibrate"]
    for turn in range(ROUNDS):
        calls = range(turn * CALLS, (turn + 1) * CALLS)
        asked = [(services[n % len(services)], 200 + n // len(services)) for n in calls]
        begin = time.process_time()
        for service, length in asked:
            call(service, length)
        best = min(best, time.process_time() - begin)
    return best / CALLS


def energies() -> None:
    """Print the errors of both against the measured points."""
    print(f"{'predicted over measured energy of a token':52}{'rows':>5}{'median':>9}{'spread':>9}"
          f"{'|error|':>13}{'least':>8}{'most':>8}")  # fmt: skip
    left = calibration.leave_one_out()
    line("cohort, as fitted", [each.joules() / each.value for each in ROWS])
    line("cohort, each model from the others", [each.ratio for each in left])
    line(
        "cohort, B200, not fitted",
        [each.joules() / each.value for each in calibration.measured_energies("test")],
    )
    if not importlib.util.find_spec("ecologits"):
        print("EcoLogits is not installed: pip install -e '.[peers]'")
        return
    line("EcoLogits, at the measured batch", [ecologits_joules(each, False) / each.value for each in ROWS])
    near = [each for each in ROWS if 60 < each.concurrency < 70]
    line("EcoLogits, by itself, at 64 requests", [ecologits_joules(each, True) / each.value for each in near])
    line("cohort, each model from the others, at 64 requests", [
        each.ratio for each in left if 60 < each.concurrency < 70
    ])  # fmt: skip


def speeds() -> None:
    """Print calls per second of a whole answer, energy to water, as a ratio."""
    from ecologits.impacts.llm import compute_llm_impacts_dag

    device = cohort.accelerator("H100 SXM 80GB")
    specs = {row["model"]: cohort.model(row["same_shape_as"]) for row in facts.rows("inference_energy")}

    def ours(row: dict[str, str], length: int) -> object:
        return cohort.footprint.serving(
            model=specs[row["model"]], accelerator=device, concurrency=round(float(row["concurrency"])),
            input_tokens=64, output_tokens=length, accelerators=int(row["accelerators"]),
            weight_dtype=row["weight_dtype"], boundary="with_embodied",
        )  # fmt: skip

    def theirs(row: dict[str, str], length: int) -> object:
        total, active = SIZES[row["model"]]
        return compute_llm_impacts_dag(
            model_active_parameter_count=active, model_total_parameter_count=total, output_token_count=length,
            request_latency=math.inf, if_electricity_mix_adpe=1e-7, if_electricity_mix_pe=9.0,
            if_electricity_mix_gwp=0.384, if_electricity_mix_wue=3.1, datacenter_pue=1.1, datacenter_wue=0.2,
        )  # fmt: skip

    own, peer = seconds(ours), seconds(theirs)
    print(f"\n{'a whole answer':52}{'calls/s':>14}{'ratio':>9}")
    print(f"{'cohort.footprint.serving':52}{1 / own:14,.0f}{1:9}")
    print(f"{'EcoLogits, compute_llm_impacts_dag':52}{1 / peer:14,.0f}{peer / own:9.1f}")


def codecarbon() -> None:
    """Print the published factors of CodeCarbon beside those of this book."""
    mile = yardsticks.yardstick("driving, per mile")
    print(f"\n{'factor':52}{'CodeCarbon':>14}{'this book':>14}")
    print(f"{'a mile by car (kg)':52}{mile:14.3f}{yardsticks.KM_PER_MILE / yardsticks.car_km(1.0):14.3f}")
    for state in ("US-Texas", "US-Virginia", "US-Iowa"):
        found = cohort.grid(state)
        country = cohort.grid("USA").g_per_kwh
        print(f"{f'{state}, generation; the country (g/kWh)':52}{found.g_per_kwh:14.1f}{country:14.1f}")


def main() -> None:
    """Print all of it."""
    energies()
    if importlib.util.find_spec("ecologits"):
        speeds()
    codecarbon()


if __name__ == "__main__":
    main()
