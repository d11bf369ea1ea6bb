"""Logs of meters: every layout gives the energy that its samples say, and what is odd is said or refused."""

import os
import time

import numpy as np
import pytest
from meter_logs import SMI, codecarbon, kwh, ramp, run_row, smi, stamp

from cohort.errors import CohortError, ParameterError
from cohort.footprint.logs import LAYOUTS, read_logs
from cohort.footprint.logs.channels import Channel, together

# --- layouts


def test_nvidia_smi_with_units_and_without(tmp_path):
    for k, (unit, heads) in enumerate(((" W", SMI), ("", SMI.replace(" [W]", "")))):
        log = read_logs(smi(tmp_path / f"{k}.csv", ramp(), heads=heads, unit=unit))
        assert log.layouts == ("nvidia-smi",) and log.clock == "local"
        assert [each.name for each in log.channels] == ["NVIDIA H100 80GB HBM3"] * 2
        assert log.energy_kwh() == pytest.approx(kwh(ramp()), rel=1e-12)
        assert log.accelerator_hours() == pytest.approx(200 / 3600)
        assert log.findings == ()


def test_utf_16_as_powershell_writes_it(tmp_path):
    path = smi(tmp_path / "a.csv", ramp())
    path.write_bytes(path.read_text(encoding="utf-8").encode("utf-16"))
    assert read_logs(path).energy_kwh() == pytest.approx(kwh(ramp()))


def test_a_log_without_heads_and_devices(tmp_path):
    """Rows that name no device and come two at a time are of two devices."""
    rows = [
        f"{stamp(k + 0.004 * j)}, {100 * (j + 1)} W" for k in range(50) for j in range(2)
    ]  # fmt: skip
    path = tmp_path / "a.csv"
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    log = read_logs(path, columns=["timestamp", "power.draw"])
    assert len(log.channels) == 2 and "taken as 2 devices" in " ".join(log.findings)
    assert log.energy_kwh() == pytest.approx(300 * 49 / 3.6e6)


def test_dcgmi_dmon_has_no_clock(tmp_path):
    path = tmp_path / "dmon.txt"
    body = "".join(f"GPU {gpu}     {300 + gpu}.5     98\n" for _ in range(61) for gpu in range(2))
    path.write_text("#Entity   POWER   GPUTL\nID        W\n" + body, encoding="utf-8")
    log = read_logs(path, interval_s=2)
    assert log.layouts == ("dmon",) and log.clock == "none"
    assert log.energy_kwh() == pytest.approx(602 * 120 / 3.6e6)
    assert "no clock" in log.findings[0] and "2 s apart, as given" in log.findings[0]


def test_nvidia_smi_dmon_with_date_and_time(tmp_path):
    path = tmp_path / "dmon.txt"
    body = "".join(f" 20261126   10:00:{k:02d}      0    400     50      -\n" for k in range(31))
    path.write_text("#Date       Time        gpu    pwr  gtemp  mtemp\n" + body, encoding="utf-8")
    log = read_logs(path)
    assert log.clock == "local" and log.energy_kwh() == pytest.approx(400 * 30 / 3.6e6)


def test_dcgm_exporter_prefers_the_counter(tmp_path):
    path = tmp_path / "dcgm.csv"
    rows = [
        f"{1_780_000_000 + 10 * k},node1,{gpu},GPU-{gpu},NVIDIA A100-SXM4-80GB,{400},{1e9 + 4e6 * k}"
        for k in range(20)
        for gpu in range(2)
    ]
    heads = (
        "timestamp,Hostname,gpu,UUID,modelName,DCGM_FI_DEV_POWER_USAGE,DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION"
    )
    path.write_text("\n".join([heads, *rows]), encoding="utf-8")
    log = read_logs(path)
    assert [each.device for each in log.channels] == ["node1:0", "node1:1"]
    assert log.energy_kwh() == pytest.approx(2 * 19 * 4000 / 3.6e6) and log.clock == "utc"


def test_dcgm_as_grafana_exports_it(tmp_path):
    path = tmp_path / "panel.csv"
    heads = '"Time","DCGM_FI_DEV_POWER_USAGE{gpu=""0""}","DCGM_FI_DEV_POWER_USAGE{gpu=""1""}"'
    rows = [f'"2026-11-26 10:{k:02d}:00","300","500"' for k in range(11)]
    path.write_text("\n".join([heads.replace('""', ""), *rows]), encoding="utf-8")
    assert read_logs(path).energy_kwh() == pytest.approx(800 * 600 / 3.6e6)


def test_rows_of_codecarbon_grow_and_the_last_counts(tmp_path):
    rows = [run_row("aaaaaaaa1", 0.5, 1.0, end="2026-11-26T11:30:00"), run_row("aaaaaaaa1", 1, 2.0)]
    log = read_logs(codecarbon(tmp_path / "emissions.csv", [*rows, run_row("bbbbbbbb2", 1, 3.0)]))
    assert log.energy_kwh("accelerator") == pytest.approx(5.0)
    assert log.energy_kwh() == pytest.approx(5.3)
    assert dict(log.reported)["energy_kwh"] == pytest.approx(5.3)
    assert log.place == "DEU" and log.accelerator_hours() == pytest.approx(16)
    assert {each.name for each in log.of("accelerator")} == {"NVIDIA A40"}


def test_a_pue_in_the_energies_of_codecarbon_is_taken_out(tmp_path):
    log = read_logs(codecarbon(tmp_path / "emissions.csv", [run_row("aaaaaaaa1", 1, 2.0, pue=1.25)]))
    assert log.energy_kwh() == pytest.approx(2.15 / 1.25) and "PUE of 1.25" in log.findings[0]


def test_files_of_many_processes_are_one_machine_unless_said(tmp_path):
    paths = [
        codecarbon(tmp_path / f"emissions_{k}.csv", [run_row(f"{k}aaaaaaaa", 1, 2.0 + 1e-4 * k)])
        for k in range(8)
    ]
    one, all_of_them = read_logs(paths), read_logs(paths, machines=8)
    assert one.energy_kwh() == pytest.approx(2.15) and "8 files cover the same time" in " ".join(one.findings)
    assert all_of_them.energy_kwh() == pytest.approx(8 * 2.15, rel=1e-3)
    assert dict(one.reported)["energy_kwh"] == pytest.approx(2.15)


def test_windows_of_zeus_do_not_count_twice(tmp_path):
    path = tmp_path / "zeus.csv"
    rows = ["1780000000.0,epoch,100.0,30000,40000", "1780000010.0,step,10.0,3000,4000"]
    rows += ["1780000200.0,epoch,100.0,31000,41000"]
    path.write_text(
        "\n".join(["start_time,window_name,elapsed_time,gpu0_energy,gpu1_energy", *rows]), "utf-8"
    )
    log = read_logs(path)
    assert log.energy_kwh() == pytest.approx(142000 / 3.6e6) and "1 window inside others" in log.findings[0]


def test_mlflow_long_table_and_metric_file(tmp_path):
    table = tmp_path / "metrics.csv"
    rows = [
        f"abc,system/gpu_{gpu}_power_usage_watts,{200 + gpu},{k},{1_780_000_000_000 + 10_000 * k}"
        for k in range(7)
        for gpu in range(2)
    ]
    noise = ["abc,train/loss,3.2,0,1780000000000"]
    table.write_text("\n".join(["run_id,key,value,step,timestamp", *noise, *rows]), encoding="utf-8")
    assert read_logs(table).energy_kwh() == pytest.approx(401 * 60 / 3.6e6)
    metric = tmp_path / "gpu_3_power_usage_watts"
    metric.write_text("".join(f"{1_780_000_000_000 + 10_000 * k} 250 {k}\n" for k in range(7)), "utf-8")
    log = read_logs(metric)
    assert log.layouts == ("mlflow",) and log.channels[0].device == "3"
    assert log.energy_kwh() == pytest.approx(250 * 60 / 3.6e6)


def test_weights_and_biases_skips_rows_of_other_meters(tmp_path):
    path = tmp_path / "events.csv"
    heads = "_runtime,_timestamp,system.cpu,system.gpu.0.powerWatts,system.gpu.1.powerWatts"
    rows = [f"{15 * k},{1_780_000_000 + 15 * k},3.5,{300},{400}" for k in range(9)]
    rows.insert(3, "31,1780000031,3.5,,")
    path.write_text("\n".join([heads, *rows]), encoding="utf-8")
    log = read_logs(path)
    assert log.layouts == ("wandb",) and log.energy_kwh() == pytest.approx(700 * 120 / 3.6e6)


@pytest.mark.parametrize(
    ("heads", "row", "joules"),
    [
        ("time,watts", "{t},500", 500 * 60),
        ("seconds;power [kW]", "{t};0,5", 500 * 60),
        ("timestamp,gpu0_w,gpu1_w", "{t},200,300", 500 * 60),
        ("time,energy_kwh", "{t},{kwh}", 500 * 60),
        ("elapsed,joules", "{t},{j}", 500 * 60),
        ("time,device,power_mw", "{t},0,500000", 500 * 60),
    ],
)
def test_a_plain_table_by_the_unit_in_its_head(tmp_path, heads, row, joules):
    path = tmp_path / "plain.csv"
    rows = [row.format(t=10 * k, kwh=500 * 10 * k / 3.6e6, j=5000 * k + 7) for k in range(7)]
    path.write_text("\n".join([heads, *rows]), encoding="utf-8")
    log = read_logs(path)
    assert log.layouts == ("plain",) and log.energy_kwh() == pytest.approx(joules / 3.6e6, rel=1e-9)


def test_a_plain_table_of_a_whole_machine(tmp_path):
    path = tmp_path / "wall.csv"
    path.write_text("time,node power [W]\n0,5000\n10,5000\n", encoding="utf-8")
    assert read_logs(path).channels[0].kind == "machine"


# --- energy and its error


def test_the_rule_is_exact_for_straight_lines_and_its_error_shrinks_with_the_step():
    times = np.linspace(0, 100, 101)
    straight = Channel("0", "accelerator", times, watts=100 + 6 * times)
    assert straight.energy_kwh == pytest.approx(40000 / 3.6e6) and straight.energy().high == pytest.approx(
        straight.energy_kwh
    )
    spans = []
    for steps in (100, 200, 400):
        t = np.linspace(0, 100, steps + 1)
        found = Channel("0", "accelerator", t, watts=400 + 300 * np.sin(t / 7)).energy()
        truth = (400 * 100 + 300 * 7 * (1 - np.cos(100 / 7))) / 3.6e6
        assert found.low <= truth <= found.high
        spans.append(found.high - found.low)
    assert spans[1] < spans[0] / 3 and spans[2] < spans[1] / 3


def test_a_gap_widens_the_range_to_what_may_have_been_drawn():
    t = np.concatenate([np.arange(0, 100.0), np.arange(400.0, 500.0)])
    watts = np.where(t < 50, 100.0, 700.0)
    found = Channel("0", "accelerator", t, watts=watts)
    assert len(found.gaps()) == 1
    energy = found.energy()
    assert energy.central - energy.low > 299 * 590 / 3.6e6 and energy.high - energy.central < 2e-4
    assert together([found, found]).high == pytest.approx(2 * energy.high)


def test_energy_by_hour_adds_up(tmp_path):
    log = read_logs(smi(tmp_path / "a.csv", ramp(7300, 1)))
    hours = log.by_hour()
    assert len(hours) == 3 and sum(hours.values()) == pytest.approx(log.energy_kwh(), rel=1e-12)
    assert list(log.by_hour(-3600)) == [hour - 1 for hour in hours]


# --- several files


def test_parts_of_one_device_are_joined_without_energy_between(tmp_path):
    first = smi(tmp_path / "a.csv", ramp(50, 1))
    second = smi(tmp_path / "b.csv", ramp(50, 1), offset=3600)
    log = read_logs([second, first])
    assert len(log.channels) == 1 and log.energy_kwh() < 2.001 * kwh(ramp(50, 1)) + 700 / 3.6e6
    assert "between two files" in " ".join(log.findings)


def test_the_same_devices_at_the_same_time_are_other_machines(tmp_path):
    first, second = smi(tmp_path / "node0.csv", ramp()), smi(tmp_path / "node1.csv", ramp() * 0.9)
    log = read_logs([first, second])
    assert len(log.channels) == 4 and "different machines" in " ".join(log.findings)
    copy = tmp_path / "copy.csv"
    copy.write_bytes(first.read_bytes())
    assert read_logs([first, copy]).energy_kwh() == pytest.approx(kwh(ramp()))


def test_a_fleet_of_mixed_accelerators(tmp_path):
    first, second = smi(tmp_path / "a.csv", ramp()), smi(tmp_path / "b.csv", ramp(), name="NVIDIA L40S")
    names = {each.name for each in read_logs([first, second]).channels}
    assert names == {"NVIDIA H100 80GB HBM3", "NVIDIA L40S"}
    named = read_logs([first, second], accelerator={"b.csv": "T4"})
    assert {each.name for each in named.channels} == {"NVIDIA H100 80GB HBM3", "T4"}


# --- what is odd is said


def found_in(path, **options):
    return " ".join(read_logs(path, **options).findings)


def test_gaps_idle_stretches_and_missing_devices_are_said(tmp_path):
    watts = np.full((600, 3), 650.0)
    watts[:200] = 70.0
    path = smi(tmp_path / "a.csv", watts, devices=[0, 1, 3])
    lines = path.read_text(encoding="utf-8").splitlines()
    kept = [line for k, line in enumerate(lines) if not 1500 < k < 1560 and not (k > 900 and ", 3, " in line)]
    path.write_text("\n".join(kept), encoding="utf-8")
    said = found_in(path)
    assert "1 gap" in said and "Of devices 0 to 3, the log lacks 2." in said
    assert "3: it is in the log for" in said and "3 idle stretches" in said


def test_a_clock_that_was_set_back_is_mended_and_rows_out_of_order_are_sorted(tmp_path):
    path = smi(tmp_path / "a.csv", ramp(400, 1))
    lines = path.read_text(encoding="utf-8").splitlines()
    late = smi(tmp_path / "b.csv", ramp(400, 1), offset=-3600).read_text(encoding="utf-8").splitlines()
    back = tmp_path / "back.csv"
    back.write_text("\n".join([*lines[:201], *late[201:]]), encoding="utf-8")
    log = read_logs(back)
    assert log.energy_kwh() == pytest.approx(kwh(ramp(400, 1)), rel=1e-9)
    assert "set back 1 time, by 3,600 s" in " ".join(log.findings)
    order = np.random.default_rng(1).permutation(np.arange(1, 401))
    mixed = tmp_path / "mixed.csv"
    mixed.write_text("\n".join([lines[0], *[lines[k] for k in order]]), encoding="utf-8")
    log = read_logs(mixed)
    assert log.energy_kwh() == pytest.approx(kwh(ramp(400, 1))) and "out of order" in " ".join(log.findings)


def test_readings_without_a_value_and_restarts_are_said(tmp_path):
    path = smi(tmp_path / "a.csv", ramp(100, 1))
    lines = path.read_text(encoding="utf-8").splitlines()
    lines[40] = lines[40].replace(lines[40].split(", ")[3], "[N/A]")
    path.write_text("\n".join([*lines[:60], SMI, *lines[60:]]), encoding="utf-8")
    said = found_in(path)
    assert "1 of 100 readings without a value" in said and "started 2 times" in said


def test_a_device_above_its_rating_is_said(tmp_path):
    twice = smi(tmp_path / "a.csv", np.full((50, 1), 620.0), name="NVIDIA A40")
    assert "620 W on average, above the 300 W of NVIDIA A40" in found_in(twice)
    assert "above" not in found_in(smi(tmp_path / "b.csv", np.full((50, 1), 320.0), name="NVIDIA A40"))


def test_a_counter_that_began_anew_keeps_what_it_had(tmp_path):
    path = tmp_path / "a.csv"
    rows = [f"{k},{1000 * k}" for k in range(50)] + [f"{50 + k},{1000 * k}" for k in range(50)]
    path.write_text("\n".join(["time,joules", *rows]), encoding="utf-8")
    log = read_logs(path)
    assert log.energy_kwh() == pytest.approx(98000 / 3.6e6) and "began anew 1 time" in " ".join(log.findings)


# --- what cannot be read is refused in one sentence

HOSTILE = {
    "empty": "",
    "blank": "\n \n",
    "heads alone": SMI + "\n",
    "wrong columns": "a,b,c\n1,2,3\n2,3,4\n",
    "no unit": "time,power\n0,100\n1,100\n",
    "no time": "watts\n100\n100\n",
    "formula": f"{SMI}\n{stamp(0)}, 0, x, =HYPERLINK(1), 0, 0, 0\n{stamp(1)}, 0, x, 100 W, 0, 0, 0\n",
    "unit": f"{SMI}\n{stamp(0)}, 0, x, 100 V, 0, 0, 0\n{stamp(1)}, 0, x, 100 W, 0, 0, 0\n",
    "infinite": "time,watts\n0,1e999\n1,100\n",
    "negative": "time,watts\n0,-5\n1,100\n",
    "milliwatts": "time,watts\n0,350000\n1,350000\n",
    "date of two readings": "time,watts\n01/02/2026 10:00,100\n01/02/2026 11:00,100\n",
    "time missing": "time,watts\n0,100\n,100\n",
    "one reading": "time,watts\n0,100\n",
    "ragged": 'time,watts\n0,100\n1,"100\n2,3,4,5,6\n',
    "twice": "time,watts,watts\n0,1,2\n1,1,2\n",
    "counter falls": "time,joules\n" + "".join(f"{k},{(k * 7919) % 101}\n" for k in range(200)),
    "not available": f"{SMI}\n" + "".join(f"{stamp(k)}, 0, x, [N/A], 0, 0, 0\n" for k in range(9)),
    "mlflow without power": "run_id,key,value,step,timestamp\na,train/loss,1,0,1780000000000\n",
    "dmon without power": "#Entity   GPUTL\nID\nGPU 0     98\nGPU 0     98\n",
    "zones mixed": "time,watts\n2026-11-26T10:00:00Z,1\n2026-11-26T10:00:10,1\n2026-11-26T10:00:20+02:00,1\n",
    "a thousand years": "time,watts\n0,100\n31536000000,100\n",
    "a counter of another unit": "time,energy_kwh\n0,0\n10,5000000\n",
    "zeus cut": "start_time,window_name,elapsed_time,gpu0_energy\n1780000000,a,x,5\n",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_gets_one_sentence(tmp_path, name):
    path = tmp_path / "log.csv"
    path.write_text(HOSTILE[name], encoding="utf-8")
    with pytest.raises(CohortError) as caught:
        read_logs(path)
    said = str(caught.value)
    assert "\n" not in said and len(said) < 400 and "log.csv" in said


def test_files_that_are_none_get_one_sentence(tmp_path):
    fifo = tmp_path / "fifo.csv"
    os.mkfifo(fifo)
    big = tmp_path / "big.csv"
    with big.open("wb") as file:
        file.truncate(2**30)
    latin, binary = tmp_path / "latin.csv", tmp_path / "binary.csv"
    latin.write_bytes("time,watts\n0,é\n".encode("latin-1"))
    binary.write_bytes(bytes(range(128)) * 10)
    for path in (fifo, big, latin, binary, tmp_path, tmp_path / "none.csv", "/dev/zero", "a\0b"):
        begin = time.perf_counter()
        with pytest.raises(ParameterError) as caught:
            read_logs(path)
        assert "\n" not in str(caught.value) and time.perf_counter() - begin < 1
    same = smi(tmp_path / "a.csv", ramp())
    for paths, options in (
        ([], {}),
        ([same, same], {}),
        (same, {"layout": "excel"}),
        (same, {"meter": "cat"}),
    ):
        with pytest.raises(CohortError):
            read_logs(paths, **options)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_layout_that_is_forced_on_another_file_is_refused(tmp_path, layout):
    path = tmp_path / "notes.csv"
    path.write_text("name,colour\na,red\nb,blue\n", encoding="utf-8")
    with pytest.raises(CohortError) as caught:
        read_logs(path, layout)
    assert "\n" not in str(caught.value)


def test_columns_in_any_order_and_more_of_them_change_nothing(tmp_path):
    watts = ramp(60, 2)
    path = tmp_path / "a.csv"
    rows = [
        f"{watts[k, d]:.3f} W, extra, {d}, {stamp(k)}" for k in range(60) for d in range(2)
    ]  # fmt: skip
    path.write_text("\n".join(["power.draw [W], fan.speed [%], index, timestamp", *rows]), encoding="utf-8")
    assert read_logs(path).energy_kwh() == pytest.approx(kwh(watts), rel=1e-5)
