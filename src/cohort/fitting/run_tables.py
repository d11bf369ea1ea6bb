"""Training runs from a file of the reader's own, by usual names of columns; errors name the line."""

from __future__ import annotations

import csv
import math
import re
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from cohort.errors import ParameterError, shown
from cohort.errors.arguments import explain
from cohort.errors.files import file_text
from cohort.scaling import FLOP_PER_TOKEN

# What a column is called, in lower case with underscores; the first that is there is taken.
NAMES = {
    "parameters": (
        "parameters",
        "params",
        "n_params",
        "num_params",
        "n_parameters",
        "num_parameters",
        "total_params",
        "non_embedding_params",
        "non_embedding_parameters",
        "model_size",
        "size",
        "n",
    ),
    "tokens": ("tokens", "training_tokens", "train_tokens", "n_tokens", "num_tokens", "dataset_size", "d"),
    "flop": ("flop", "flops", "training_flop", "training_flops", "train_flops", "compute", "c"),
    "loss": ("loss", "final_loss", "val_loss", "valid_loss", "validation_loss", "eval_loss", "train_loss"),
    "unique_tokens": ("unique_tokens", "unique", "u"),
    "bits": ("bits", "precision_bits"),
    "weight": ("weight", "weights"),
}
USUAL = frozenset(name for names in NAMES.values() for name in names)
NEEDED = ("parameters", "loss")
PERPLEXITY = ("perplexity", "ppl", "val_perplexity", "val_ppl", "eval_perplexity")  # its logarithm is a loss
THOUSANDS = {"k": 1e3, "m": 1e6, "b": 1e9, "g": 1e9, "t": 1e12}
UNITS = {
    **THOUSANDS,
    **{f"{word}{end}": 10.0**power for end in ("", "s") for word, power in (
        ("thousand", 3), ("million", 6), ("billion", 9), ("trillion", 12), ("bn", 9), ("tn", 12),
    )},
}  # fmt: skip
SCALED = ("parameters", "tokens", "unique_tokens")  # what a head or a cell may give in such units
PLAIN = {
    "loss": ("nats", "nat", "nats/token", "nats per token"),
    "flop": ("flop", "flops"),
    "bits": ("bits",),
}
LEAST = 1e5  # parameters and tokens of the largest run: less is a column in other units
ROUND = str.maketrans("[]", "()")
GROUPED = re.compile(r"\d{1,3}(,\d{3}){2,}(\.\d+)?")  # 1,400,000


@dataclass(frozen=True, slots=True)
class RunTable:
    """Runs that were read from a file.

    Attributes
    ----------
    frame : DataFrame
        ``parameters``, ``tokens``, ``flop``, ``loss``, ``ratio`` and ``dropped``, the highest losses first;
        ``unique_tokens``, ``bits`` and ``weight`` where the file has them.
    columns : dict of str to str
        The columns of the file that were taken, by what they were taken for.
    """

    frame: pd.DataFrame
    columns: dict[str, str]


def read_runs(path: str | Path, dropped_rows: int = 0) -> RunTable:
    """Return the training runs of a CSV file.

    Sizes are in parameters, data in tokens, compute in FLOP, losses in nats per token. A head or a cell may
    give sizes and data in thousands to trillions, as in ``tokens (B)`` or ``7B``; a perplexity is taken by
    its logarithm. Cells are divided by commas, semicolons or tabs; where not by commas, decimals may be.
    Where there are no tokens they follow from the compute as C / 6N.

    Parameters
    ----------
    path : str or Path
        A file with a line of heads; `NAMES` lists what a column may be called.
    dropped_rows : int
        How many of the highest losses are marked as dropped.

    Returns
    -------
    RunTable
        The runs, and which columns they are from.

    Raises
    ------
    ParameterError
        If the file cannot be read, lacks a column, or a value is no number above zero; the message names the
        line.
    """
    try:
        lines = file_text(path, "utf-8-sig").splitlines()
    except OSError as error:
        raise ParameterError(f"{path} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ParameterError(f"{path} is not text in UTF-8") from None
    divider = max(",;\t", key=(lines[0] if lines else "").count)
    reader = csv.reader(lines, delimiter=divider)
    try:
        given = next(reader)
        rows = [(reader.line_num, row) for row in reader if any(cell.strip() for cell in row)]
    except StopIteration:
        raise ParameterError(f"{path} is empty") from None
    except csv.Error as error:
        raise ParameterError(f"{path} is not CSV: {error}") from None
    heads, units = zip(*(_head(each) for each in given), strict=True) if given else ((), ())
    places = _places(path, list(heads))
    columns = {}
    for name, place in places.items():
        factor = _factor(path, name, units[place])
        cells = [_number(path, line, name, row, place, divider) for line, row in rows]
        columns[name] = [factor * cell for cell in cells]
        if heads[place] in PERPLEXITY:
            columns[name] = [_log(path, line, cell) for (line, _), cell in zip(rows, cells, strict=True)]
    frame = pd.DataFrame(columns, dtype=float)
    if "tokens" not in frame:
        frame["tokens"] = frame["flop"] / (FLOP_PER_TOKEN * frame["parameters"])
    for name in ("parameters", "tokens"):
        if len(frame) and frame[name].max() < LEAST:
            raise ParameterError(
                f"{path}: {name} are at most {frame[name].max():.6g}; where they are in millions or "
                f"billions, say so in the head, as in '{name} (B)'"
            )
    frame["flop"] = FLOP_PER_TOKEN * frame["parameters"] * frame["tokens"]
    frame["ratio"] = frame["tokens"] / frame["parameters"]
    frame = frame.sort_values("loss", ascending=False, kind="stable").reset_index(drop=True)
    frame["dropped"] = frame.index < dropped_rows
    return RunTable(frame, {name: _plain(given[place]) for name, place in places.items()})


def _plain(head: str) -> str:
    return "_".join(head.strip().lower().replace("-", " ").replace("_", " ").split())


def _head(given: str) -> tuple[str, str]:
    """Return the name in a head, and its unit in lower case: of brackets, or a last word that is one."""
    text = given.strip()
    if text.endswith((")", "]")):
        inside = text[:-1].translate(ROUND)
        opened = inside.find("(", inside.rfind(")") + 1)
        if opened >= 0:
            return _plain(text[:opened]), " ".join(text[opened + 1 : -1].lower().split())
    plain = _plain(text)
    name, _, last = plain.rpartition("_")
    return (name, last) if last in UNITS and name in USUAL and plain not in USUAL else (plain, "")


def _factor(path: str | Path, name: str, unit: str) -> float:
    """Return what a unit in a head multiplies a column by; raise where it is not known."""
    words = unit.removesuffix(" of tokens").removesuffix(" tokens").removesuffix(" parameters")
    if not unit or unit in PLAIN.get(name, (name,)):
        return 1.0
    if name in SCALED and words in UNITS:
        return float(UNITS[words])
    allowed = "K, M, B or T" if name in SCALED else "nats per token" if name == "loss" else "none"
    raise ParameterError(f"{path}: the head of {name} has the unit {shown(unit)}, but may have {allowed}")


def _log(path: str | Path, line: int, perplexity: float) -> float:
    if perplexity <= 1:
        raise ParameterError(f"{path}, line {line}: perplexity is {perplexity:g}, but must be above 1")
    return math.log(perplexity)


def _places(path: str | Path, heads: list[str]) -> dict[str, int]:
    """Return where each quantity stands; raise where one that is needed does not."""
    known = {name: (*usual, *(PERPLEXITY if name == "loss" else ())) for name, usual in NAMES.items()}
    places = {
        name: next(heads.index(each) for each in usual if each in heads)
        for name, usual in known.items()
        if any(each in heads for each in usual)
    }
    missing = [name for name in NEEDED if name not in places]
    if "tokens" not in places and "flop" not in places:
        missing.append("tokens (or flop)")
    if missing:
        raise ParameterError(f"{path} has no column of {', '.join(missing)}; it has {', '.join(heads)[:120]}")
    return places


def _number(path: str | Path, line: int, name: str, row: list[str], place: int, divider: str) -> float:
    cell = row[place].strip() if place < len(row) else ""
    text, factor = cell, 1.0
    if name in SCALED and text[-1:].lower() in THOUSANDS:
        text, factor = text[:-1].strip(), THOUSANDS[text[-1].lower()]
    if GROUPED.fullmatch(text):
        text = text.replace(",", "")
    elif divider != "," and text.count(",") == 1 and "." not in text:
        text = text.replace(",", ".")
    try:
        value = factor * float(text)
    except ValueError:
        value = math.nan
    if not 0 < value < math.inf:
        raise ParameterError(f"{path}, line {line}: {name} is {shown(cell)}, but must be a number above 0")
    return value


explain(__name__)
