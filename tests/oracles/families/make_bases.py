"""Write ``bases.jsonl``, the small shapes: ``python make_bases.py FOLDER [TYPE ...]``."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import arbiter
import bases
import forked


def work(family: str) -> list[dict[str, Any]]:
    """Return the small shape of a type, and those with parts switched on that are off in it."""
    config, path = bases.small(family)
    shapes = [("small", config), *((f"small: {n}", c) for n, c in bases.rich(family, config, path))]
    rows = []
    for variant, shape in shapes:
        shape = json.loads(json.dumps(shape))
        try:
            counted = arbiter.count(shape)
        except Exception as error:
            if variant == "small":
                raise
            last = str(error).splitlines()[-1][:160]
            rows.append({"type": family, "variant": variant, "skipped": f"{type(error).__name__}: {last}"})
            continue
        rows.append({"type": family, "variant": variant, "path": path, "config": shape, **counted})
    return rows


def main() -> None:
    """Count the small shapes of every type, one after another."""
    folder, only = Path(sys.argv[1]), set(sys.argv[2:])
    names = [n for n, a in arbiter.types().items() if a["kind"] != "excluded" and (not only or n in only)]
    with open(folder / "bases.jsonl", "w", encoding="utf-8") as file:
        for name, result, error in forked.each(names, work):
            if error:
                print(name, error, flush=True)
            for row in result or []:
                if "skipped" in row:
                    print(row, flush=True)
                    continue
                file.write(json.dumps(row) + "\n")


if __name__ == "__main__":
    main()
