"""Training runs from a file of the reader's own, by usual names of columns; errors name the line."""

from __future__ import annotations

import csv
import math
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from cohort.errors import ParameterError, shown
from cohort.errors.arguments import explain
from cohort.errors.files import file_text
from cohort.scaling import FLOP_PER_TOKEN

# What a column is called, in lower case with underscores; the first that is there is taken.
NAMES = {
    "parameters": ("parameters", "params", "n_params", "num_params", "model_size", "size", "n"),
    "tokens": ("tokens", "training_tokens", "train_tokens", "n_tokens", "num_tokens", "dataset_size", "d"),
    "flop": ("flop", "flops", "training_flop", "training_flops", "train_flops", "compute", "c"),
    "loss": ("loss", "final_loss", "val_loss", "valid_loss", "validation_loss", "eval_loss", "train_loss"),
    "unique_tokens": ("unique_tokens", "unique", "u"),
    "bits": ("bits", "precision_bits"),
    "weight": ("weight", "weights"),
}
NEEDED = ("parameters", "loss")


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

    Sizes are in parameters, data in tokens, compute in FLOP, losses in nats per token. Where there are no
    tokens they follow from the compute as C / 6N.

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
    reader = csv.reader(lines)
    try:
        heads = [_plain(head) for head in next(reader)]
        rows = [(reader.line_num, row) for row in reader if any(cell.strip() for cell in row)]
    except StopIteration:
        raise ParameterError(f"{path} is empty") from None
    except csv.Error as error:
        raise ParameterError(f"{path} is not CSV: {error}") from None
    places = _places(path, heads)
    columns = {
        name: [_number(path, line, name, row, place) for line, row in rows] for name, place in places.items()
    }
    frame = pd.DataFrame(columns, dtype=float)
    if "tokens" not in frame:
        frame["tokens"] = frame["flop"] / (FLOP_PER_TOKEN * frame["parameters"])
    frame["flop"] = FLOP_PER_TOKEN * frame["parameters"] * frame["tokens"]
    frame["ratio"] = frame["tokens"] / frame["parameters"]
    frame = frame.sort_values("loss", ascending=False, kind="stable").reset_index(drop=True)
    frame["dropped"] = frame.index < dropped_rows
    return RunTable(frame, {name: heads[place] for name, place in places.items()})


def _plain(head: str) -> str:
    return "_".join(head.strip().lower().replace("-", " ").replace("_", " ").split())


def _places(path: str | Path, heads: list[str]) -> dict[str, int]:
    """Return where each quantity stands; raise where one that is needed does not."""
    places = {
        name: next(heads.index(each) for each in usual if each in heads)
        for name, usual in NAMES.items()
        if any(each in heads for each in usual)
    }
    missing = [name for name in NEEDED if name not in places]
    if "tokens" not in places and "flop" not in places:
        missing.append("tokens (or flop)")
    if missing:
        raise ParameterError(f"{path} has no column of {', '.join(missing)}; it has {', '.join(heads)[:120]}")
    return places


def _number(path: str | Path, line: int, name: str, row: list[str], place: int) -> float:
    cell = row[place].strip() if place < len(row) else ""
    try:
        value = float(cell)
    except ValueError:
        value = math.nan
    if not 0 < value < math.inf:
        raise ParameterError(f"{path}, line {line}: {name} is {shown(cell)}, but must be a number above 0")
    return value


explain(__name__)
