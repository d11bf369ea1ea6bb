"""The data and the models as pandas tables, with units and provenance in ``DataFrame.attrs``.

``cohort.tables()`` lists the data tables; `cohort.table` reads one.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from numbers import Integral, Real
from typing import Any

import pandas as pd

from cohort import facts
from cohort.attention import MAX_CONTEXT, Attention, Compressed
from cohort.book.say import significant
from cohort.configs import model as read_model
from cohort.errors import ParameterError, shown
from cohort.facts import Fact, make_callable, table_names
from cohort.models import ModelSpec, Residual

GIB = 2**30
_DTYPES = {"integer": "Int64", "number": "Float64"}
ABSENT = Fact("", "text", "", "")  # of which the data say nothing, not even that it is undisclosed
DASH = "–"


def table(name: str) -> pd.DataFrame:
    """Return a data table.

    Parameters
    ----------
    name : str
        A name from ``cohort.tables()``.

    Returns
    -------
    DataFrame
        Typed as its schema says. ``attrs`` holds ``title``, ``description``, ``licences``, ``sources``
        (every key of ``references.bib`` that a row or the table as a whole names) and, per column, ``units``
        (a table with a column ``unit`` has one a row instead) and ``columns`` (what each one means).

    Raises
    ------
    UnknownNameError
        If there is no such table; the message names the nearest.
    """
    frame = pd.DataFrame(facts.rows(name))
    schema = facts.schema(name)
    fields: list[dict[str, Any]] = schema.get("schema", {}).get("fields", [])
    for field in fields:
        column = field["name"]
        if field["type"] in _DTYPES:
            frame[column] = pd.to_numeric(frame[column]).astype(_DTYPES[field["type"]])
        elif field["type"] == "boolean":
            frame[column] = frame[column].map({"true": True, "false": False}).astype("boolean")
        elif field["type"] == "date":
            frame[column] = pd.to_datetime(frame[column])
    frame.attrs = {
        "title": schema.get("title", name),
        "description": schema.get("description", ""),
        "licences": [licence["title"] for licence in schema.get("licenses", [])],
        "sources": _sources(frame, schema),
        "units": {field["name"]: field["unit"] for field in fields if "unit" in field},
        "columns": {field["name"]: field.get("description", "") for field in fields},
    }
    return frame


def _sources(frame: pd.DataFrame, schema: dict[str, Any]) -> list[str]:
    """Return the sources of a table: those that its rows name, and those of the whole."""
    columns = [column for column in frame.columns if column == "source" or column.endswith("_source")]
    keys = {str(key) for column in columns for key in frame[column].unique()} - {""}
    return sorted(keys | {source["title"] for source in schema.get("sources", [])})


def known(model: ModelSpec) -> dict[str, Fact]:
    """Return the facts of a registered model by field, none of any other."""
    return facts.of_model(model.name) if model.registered else {}


def title(model: ModelSpec) -> str:
    """Return the model's name for display."""
    titles = {row["model"]: row["title"] for row in facts.rows("models")} if model.registered else {}
    return titles.get(model.name, model.name)


def specs(models: Iterable[str]) -> list[ModelSpec]:
    """Return the models of distinct names, in the order given."""
    names = list(dict.fromkeys(models))
    if not names:
        raise ParameterError("no model was named; cohort.models() lists those that are registered")
    found = [read_model(name) for name in names]
    twice = [name for name, times in Counter(map(title, found)).items() if times > 1]
    if twice:
        raise ParameterError(f"two models are called {shown(twice[0])}; rename the file or folder of one")
    return found


def group(name: str) -> list[str]:
    """Return the registered models of a group: ``cohort``, ``reference`` or ``modern``."""
    return [row["model"] for row in facts.rows("models") if row["group"] == name]


def main_attention(model: ModelSpec) -> Attention:
    """Return the attention that fills the cache: of the kinds of layers, the one that keeps most tokens."""
    return max((layer.attention for layer in model.layers), key=lambda each: each.cached_tokens(MAX_CONTEXT))


def attention_pattern(model: ModelSpec) -> str:
    """Return a model's attention in a few words, such as ``GQA, window 4,096 in 23 of 46 layers``."""
    kinds = Counter(layer.attention.kind for layer in model.layers)
    total = len(model.layers)
    parts = [kind if len(kinds) == 1 else f"{kind} in {count}" for kind, count in sorted(kinds.items())]
    parts[-1] += "" if len(kinds) == 1 else f" of {total} layers"
    for name in ("window", "chunk"):
        limits = [length for layer in model.layers if (length := getattr(layer.attention, name, None))]
        if limits:
            where = "" if len(limits) == total else f" in {len(limits)} of {total} layers"
            parts.append(f"{name} {limits[0]:,}{where}")
    return ", ".join(parts)


def experts_pattern(model: ModelSpec) -> str:
    """Return a model's experts in a few words, such as ``6 of 160, 2 shared``; a dash in a dense model."""
    experts = model.experts
    if experts is None:
        return DASH
    shared = f", {experts.shared} shared" if experts.shared else ""
    return f"{experts.active} of {experts.count}{shared}"


def _widths(model: ModelSpec) -> list[int]:
    """Return the distinct widths of the model's feed-forward networks, in the order of the layers."""
    found: list[int] = []
    for layer in model.layers:
        part = layer.feedforward
        parts = (part.dense, part.experts) if isinstance(part, Residual) else (part,)
        found.extend(each.width for each in parts)
    return list(dict.fromkeys(found))


def shapes(models: Sequence[str]) -> pd.DataFrame:
    """Return the dimensions of each model, as its config gives them.

    Parameters
    ----------
    models : sequence of str
        Names or paths, as `cohort.model` takes them.

    Returns
    -------
    DataFrame
        One row a model: layers, hidden size, feed-forward width (several where layers differ), heads,
        key-value heads (a dash for latent attention, which has none), head size, and vocabulary rows.
    """
    return pd.DataFrame([_shape(spec) for spec in specs(models)]).set_index("model")


def _shape(spec: ModelSpec) -> dict[str, Any]:
    attention = main_attention(spec)
    kv_heads = 1 if isinstance(attention, Compressed) else getattr(attention, "kv_heads", None)
    head_dim = getattr(attention, "head_dim", None)
    return {
        "model": title(spec),
        "layers": len(spec.layers),
        "hidden": spec.hidden,
        "feed-forward": " + ".join(f"{width:,}" for width in _widths(spec)),
        "heads": attention.heads,
        "KV heads": f"{kv_heads:,}" if kv_heads else DASH,
        "head size": f"{head_dim:,}" if head_dim else DASH,
        "vocabulary": spec.vocabulary,
    }


def components(models: Sequence[str]) -> pd.DataFrame:
    """Return what each model is built of: attention, experts, positions, normalisation, activation."""
    records = []
    for spec in specs(models):
        stated = known(spec)
        records.append(
            {
                "model": title(spec),
                "attention": attention_pattern(spec),
                "experts": experts_pattern(spec),
                "positions": stated.get("positional_encoding", ABSENT).value or DASH,
                "normalisation": stated.get("normalisation", ABSENT).value or DASH,
                "activation": stated.get("activation", ABSENT).value or DASH,
            }
        )
    return pd.DataFrame(records).set_index("model")


TRILLION = 1e12
_TRAINING = {
    "released": "release_date",
    "training tokens (trillion)": "training_tokens",
    "training context (tokens)": "training_context",
    "inference context (tokens)": "inference_context",
    "alignment": "alignment",
}


def training(models: Sequence[str]) -> pd.DataFrame:
    """Return what each model's makers say of its training: date, tokens, contexts, alignment.

    ``attrs["status"]`` holds the status of each value, by row and column: a value is empty where it is
    ``undisclosed``, or where the data do not cover it.
    """
    records, status = [], {}
    for spec in specs(models):
        stated = known(spec)
        found = {column: stated.get(field, ABSENT) for column, field in _TRAINING.items()}
        status[title(spec)] = {column: fact.status for column, fact in found.items()}
        records.append(
            {"model": title(spec)} | {column: _value(column, fact) for column, fact in found.items()}
        )
    frame = pd.DataFrame(records).set_index("model")
    frame.attrs["status"] = status
    return frame


def released(models: Sequence[str]) -> pd.Series:
    """Return the titles of the models that have a date of release, indexed by it, the earliest first."""
    dates = {title(spec): known(spec).get("release_date", ABSENT).value for spec in specs(models)}
    given = {name: date for name, date in dates.items() if date}
    series = pd.Series(list(given), index=pd.to_datetime(list(given.values())), dtype=object)
    return series.sort_index(kind="stable")


def _value(column: str, fact: Fact) -> Any:
    if not fact.value:
        return pd.NA
    if fact.unit != "tokens":
        return fact.value
    return fact.number / TRILLION if column.endswith("(trillion)") and fact.number else fact.number


def counts(models: Sequence[str]) -> pd.DataFrame:
    """Return the exact parameter counts of each model and where its weights are.

    Returns
    -------
    DataFrame
        Indexed by the model's title. Integers: ``total``, ``active`` (through which one token passes),
        ``active without embedding``, and the parts of the total: ``embedding`` (with the output head),
        ``attention``, ``dense feed-forward`` (shared experts and routers included), ``routed experts`` and
        ``other``. The parts add up to the total.
    """
    return pd.DataFrame([_count(spec) for spec in specs(models)]).set_index("model")


def _count(spec: ModelSpec) -> dict[str, Any]:
    attention = dense = routed = 0
    for layer in spec.layers:
        attention += layer.attention.parameters(spec.hidden)
        experts = layer.experts
        inside = experts.count * experts.expert.parameters(spec.hidden) if experts else 0
        routed += inside
        dense += layer.feedforward.parameters(spec.hidden) - inside
    embedding = spec.embedding_parameters + spec.head_parameters
    return {
        "model": title(spec),
        "total": spec.parameters,
        "active": spec.active_parameters,
        "active without embedding": spec.active_parameters_without_embedding,
        "embedding": embedding,
        "attention": attention,
        "dense feed-forward": dense,
        "routed experts": routed,
        "other": spec.parameters - embedding - attention - dense - routed,
    }


def caches(models: Sequence[str], context: int, bytes_per_element: float = 2) -> pd.DataFrame:
    """Return the key-value cache of each model.

    Parameters
    ----------
    models : sequence of str
        Names or paths.
    context : int
        Tokens of one sequence.
    bytes_per_element : float
        Bytes of one cached number.

    Returns
    -------
    DataFrame
        Per model: ``attention`` (the kind that fills the cache, such as GQA), ``first token`` (bytes that the
        first token adds), ``cache`` (bytes at that context), ``per token`` (their ratio) and
        ``context limit``: the longest context that the makers offer, else that of the config.
    """
    records = []
    for spec in specs(models):
        cache = spec.kv_cache_bytes(context, bytes_per_element=bytes_per_element)
        records.append(
            {
                "model": title(spec),
                "attention": main_attention(spec).kind,
                "first token": spec.kv_cache_bytes(1, bytes_per_element=bytes_per_element),
                "cache": cache,
                "per token": cache / context,
                "context limit": known(spec).get("inference_context", ABSENT).number or spec.context_limit,
            }
        )
    return pd.DataFrame(records).set_index("model")


def caches_by_length(
    models: Sequence[str], lengths: Sequence[int], bytes_per_element: float = 2
) -> pd.DataFrame:
    """Return the cache per token of context, in bytes: one row a model, one column a length in tokens."""
    return pd.DataFrame(
        {length: caches(models, length, bytes_per_element)["per token"] for length in lengths}
    )


_SIDES = {"words": "left", "number": "right"}


class Readable:
    """A table for readers: every value as text, numbers to the right, words to the left.

    Jupyter, GitHub and the book show it as HTML, a terminal as text.
    """

    def __init__(self, text: pd.DataFrame, words: frozenset[str]) -> None:
        self.text = text
        self.words = words

    def __repr__(self) -> str:
        return str(self.text.to_string())

    @property
    def _wrapped(self) -> str:
        """The style of the row heads: names stay in one piece, sentences may break."""
        longest = max((len(str(name)) for name in self.text.index), default=0)
        return ' style="white-space: normal; min-width: 14rem"' if longest > 40 else ""

    def _repr_html_(self) -> str:
        head = "".join(f'<th scope="col">{escape(str(name))}</th>' for name in self.text.columns)
        body = "\n".join(self._row(name, row) for name, row in self.text.iterrows())
        corner = escape(str(self.text.index.name or ""))
        return (
            f'<table class="dataframe">\n<thead>\n<tr><th scope="col">{corner}</th>{head}</tr>\n</thead>\n'
            f"<tbody>\n{body}\n</tbody>\n</table>"
        )

    def _row(self, name: Any, row: pd.Series) -> str:
        kinds = ["words" if column in self.words else "number" for column in self.text.columns]
        cells = "".join(
            f'<td class="{kind}" style="text-align: {_SIDES[kind]}">{escape(value)}</td>'
            for kind, value in zip(kinds, row, strict=True)
        )
        return f'<tr><th scope="row"{self._wrapped}>{escape(str(name))}</th>{cells}</tr>'


def readable(frame: pd.DataFrame, formats: Mapping[str, str] | None = None) -> Readable:
    """Return a table for readers.

    Parameters
    ----------
    frame : DataFrame
        Units belong into the names of its columns. By ``attrs["status"]``, an empty value says
        ``undisclosed`` where it is, and one that is ``inferred`` or ``contested`` says so; a dash stands for
        any other empty value.
    formats : mapping of str to str, optional
        Format of a column's numbers, such as ``".2f"``; by default integers get thousands separators and
        other numbers three significant digits.

    Returns
    -------
    Readable
        Shown by Jupyter as HTML.
    """
    formats, status = formats or {}, frame.attrs.get("status", {})
    text = pd.DataFrame(index=frame.index)
    for column in frame.columns:
        cells = [
            _cell(value, formats.get(column), status.get(name, {}).get(column, ""))
            for name, value in frame[column].items()
        ]
        text[column] = pd.array(cells, dtype=object)
    words = [column for column in frame.columns if not _numeric(frame[column])]
    return Readable(text, frozenset(words))


def _cell(value: Any, form: str | None, status: str) -> str:
    """Return the text of one cell, with its status where that matters."""
    if value is None or value is pd.NA or value != value:
        return status if status == "undisclosed" else DASH
    written = _written(value, form)
    return f"{written} ({status})" if status in ("inferred", "contested") else written


def _numeric(column: pd.Series) -> bool:
    """Whether a column holds numbers or dates, or text that reads as a number or as a sum of them."""
    plain = re.compile(rf"[+-]?[\d,]*\.?\d+( \+ [\d,]+)*|\d{{4}}-\d\d-\d\d|no bound|{DASH}")
    return all(isinstance(value, Real) or bool(plain.fullmatch(str(value))) for value in column.dropna())


def _written(value: Any, form: str | None) -> str:
    if not isinstance(value, Real) or isinstance(value, bool):
        return str(value)
    if form is not None:
        return format(value, form)
    return f"{value:,}" if isinstance(value, Integral) else significant(float(value))


def joined(*columns: pd.Series) -> pd.DataFrame:
    """Return columns of the same rows side by side, each under its own name."""
    return pd.concat(columns, axis=1)


make_callable(__name__, table_names)

__all__ = [
    "attention_pattern",
    "caches",
    "caches_by_length",
    "components",
    "counts",
    "experts_pattern",
    "group",
    "joined",
    "main_attention",
    "readable",
    "released",
    "shapes",
    "table",
    "title",
    "training",
]
