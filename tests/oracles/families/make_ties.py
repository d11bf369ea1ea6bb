"""Write ``ties.json``: when the head of a multimodal class is its embedding: ``python make_ties.py FOLDER``.

For each type, ``outer/inner`` flags (``-`` for absent) and whether the small shape then ties: 1, 0, or ``raises``.
"""

from __future__ import annotations

import copy
import json
import sys
from pathlib import Path

import arbiter
import bases
import forked

FLAGS = {"-": None, "t": True, "f": False}


def main() -> None:
    """Try all nine pairs of flags on every small shape with a nested text config."""
    folder = Path(sys.argv[1])
    rows = [json.loads(line) for line in (folder / "bases.jsonl").read_text(encoding="utf-8").splitlines()]
    nested = {row["type"]: row for row in rows if row["variant"] == "small" and row["path"]}

    def work(family: str) -> dict[str, object]:
        table: dict[str, object] = {}
        for outer, out in FLAGS.items():
            for inner, inn in FLAGS.items():
                config = copy.deepcopy(nested[family]["config"])
                for spot, flag in (
                    (config, out),
                    (bases.text_of(config, tuple(nested[family]["path"])), inn),
                ):
                    spot.pop("tie_word_embeddings", None)
                    if flag is not None:
                        spot["tie_word_embeddings"] = flag
                try:
                    table[f"{outer}/{inner}"] = int(arbiter.count(config)["embedding"] == 0)
                except Exception as error:
                    table[f"{outer}/{inner}"] = f"raises {type(error).__name__}"
        return table

    found = {name: result or error for name, result, error in forked.each(nested, work)}
    lines = [f" {json.dumps(name)}: {json.dumps(table)}" for name, table in found.items()]
    (folder / "ties.json").write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
