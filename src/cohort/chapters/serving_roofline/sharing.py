"""The same devices sharing a model in other ways: by layers, as copies, or with prompts read apart."""

from __future__ import annotations

from typing import Any

import pandas as pd

from cohort.display.words import counted, running, sentences, significant
from cohort.errors import ParameterError
from cohort.serving import Serving, Worker, serve, serve_apart


def by_sharing(model: Any, accelerator: str, devices: int, concurrency: int, **case: Any) -> pd.DataFrame:
    """Return a service by how its devices share the work.

    Parameters
    ----------
    model, accelerator, concurrency
        As `cohort.serving.serve` takes them; the concurrency is of the whole service.
    devices : int
        Devices, at least 2; ways that need an even number are left out of others.
    **case
        Lengths and types, as `cohort.serving.serve` takes them.

    Returns
    -------
    DataFrame
        One row a way: ``fits``, ``first`` and ``token`` in seconds, and ``throughput`` in output tokens a
        second; NaN where the model does not fit. What the heads of the model do not allow is left out.
    """
    half = devices // 2
    beside = {"model": model, "accelerator": accelerator, **case}
    asked: dict[str, Any] = {
        "every layer split over all": lambda: serve(
            **beside, tensor_parallel=devices, concurrency=concurrency
        )
    }
    if devices % 2 == 0 and concurrency > 1:
        asked |= {
            "two stages": lambda: serve(
                **beside, tensor_parallel=half, pipeline_parallel=2, concurrency=concurrency
            ),
            "two copies": lambda: serve(**beside, tensor_parallel=half, concurrency=-(-concurrency // 2)),
            "half reads, half writes": lambda: serve_apart(
                **beside, readers=Worker(1, half), writers=Worker(1, half), concurrency=concurrency
            ),
        }
    rows = {}
    for name, answer in asked.items():
        try:
            rows[name] = _row(answer(), 2 if name == "two copies" else 1)
        except ParameterError:
            continue
    columns = ["fits", "first", "token", "throughput"]
    return pd.DataFrame.from_dict(rows, orient="index", columns=columns).rename_axis(
        "devices share the work by"
    )


def _row(service: Serving, copies: int) -> dict[str, object]:
    if not service.fits:
        return {"fits": False, "first": float("nan"), "token": float("nan"), "throughput": float("nan")}
    return {
        "fits": True,
        "first": service.ttft_s,
        "token": service.tpot_s,
        "throughput": copies * service.output_tokens_per_s,
    }


def which_way(table: pd.DataFrame, devices: int, concurrency: int) -> str:
    """Return which way writes most, which writes a token fastest and which begins first.

    Parameters
    ----------
    table : DataFrame
        As `by_sharing` returns it.
    devices, concurrency : int
        As `by_sharing` took them.

    Returns
    -------
    str
        Markdown.
    """
    fitting = table[table["fits"].astype(bool)]
    whose = f"{counted(devices, 'device')} and {counted(concurrency, 'answer')} at once"
    if len(fitting) < 2:
        return f"With {whose} at most one way holds the model, so that there is nothing to choose."
    most, least = fitting["throughput"].idxmax(), fitting["throughput"].idxmin()
    more = fitting["throughput"].max() / fitting["throughput"].min()
    fastest, first = fitting["token"].idxmin(), fitting["first"].idxmin()
    out = [str(name) for name in table.index if name not in fitting.index]
    return sentences(
        running(
            f"With {whose}, *{most}* writes most, {significant(more)} times what *{least}* writes.",
            f"A user's tokens come fastest with *{fastest}*, the first of them with *{first}*.",
        ),
        f"The model does not fit with *{'* or *'.join(out)}*." if out else "",
    ).strip()
