"""Logs of meters as tests write them."""

import datetime

import numpy as np

START = datetime.datetime(2026, 11, 26, 10, 0, 0)
SMI = "timestamp, index, name, power.draw [W], utilization.gpu [%], memory.used [MiB], temperature.gpu"


def stamp(seconds):
    return (START + datetime.timedelta(seconds=float(seconds))).strftime("%Y/%m/%d %H:%M:%S.%f")[:-3]


def smi(path, watts, step=1.0, heads=SMI, unit=" W", devices=None, name="NVIDIA H100 80GB HBM3", offset=0.0):
    """Write a log of nvidia-smi: a row a device and step; `watts` is of shape (steps, devices)."""
    rows = [
        f"{stamp(offset + k * step)}, {device}, {name}, {watt:.2f}{unit}, 99 %, 70000 MiB, 60"
        for k, own in enumerate(np.atleast_2d(np.asarray(watts, dtype=float)))
        for device, watt in zip(devices or range(len(own)), own, strict=True)
    ]
    path.write_text("\n".join([heads, *rows]) + "\n", encoding="utf-8")
    return path


def ramp(steps=101, devices=2):
    return np.outer(np.linspace(200, 700, steps), np.ones(devices))


def kwh(watts, step=1.0):
    watts = np.asarray(watts, dtype=float)
    return float(((watts[1:] + watts[:-1]) / 2).sum() * step / 3.6e6)


CODECARBON = (
    "timestamp,project_name,run_id,duration,emissions,cpu_energy,gpu_energy,ram_energy,energy_consumed,"
    "country_iso_code,gpu_count,gpu_model,pue"
)


def codecarbon(path, rows):
    path.write_text("\n".join([CODECARBON, *rows]) + "\n", encoding="utf-8")
    return path


def run_row(run, hours, gpu, cpu=0.1, ram=0.05, pue=1.0, end="2026-11-26T12:00:00"):
    total = gpu + cpu + ram
    return (
        f"{end},p,{run},{3600 * hours},{0.4 * total},{cpu},{gpu},{ram},{total},DEU,8.0,8 x NVIDIA A40,{pue}"
    )
