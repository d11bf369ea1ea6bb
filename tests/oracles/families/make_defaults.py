"""Write ``types.json`` and the cases of class defaults: ``python make_defaults.py FOLDER [TYPE ...]``."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import arbiter
import bases
import forked
import transformers


def work(family: str) -> Any:
    """Return the cases of a type's defaults: every field written out, and as few as the class needs."""
    rows = []
    path = bases.text_path(family)
    full = bases.default(family)
    fields = arbiter.types()[family]["class"]
    bare = {**bases.place(family, bases.NEEDED.get(family, {})), "architectures": [fields]}
    for variant, config in (("default", full), ("bare", bare)):
        answer = arbiter.count(config)
        rows.append({"type": family, "variant": variant, "config": config, **answer})
    return {"rows": rows, "path": path}


def main() -> None:
    """Count the defaults of every type, one after another."""
    folder, only = Path(sys.argv[1]), set(sys.argv[2:])
    known = arbiter.types()
    names = [n for n, about in known.items() if about["kind"] != "excluded" and (not only or n in only)]
    with open(folder / "defaults.jsonl", "w", encoding="utf-8") as file:
        for name, result, error in forked.each(names, work):
            known[name]["status"] = "ok" if result else "failed"
            if error:
                known[name]["error"] = error
                print(name, error, flush=True)
            else:
                known[name]["text_config"] = ".".join(result["path"])
                for row in result["rows"]:
                    file.write(json.dumps(row) + "\n")
                file.flush()
    answer = {"transformers": transformers.__version__, "types": known}
    (folder / "types.json").write_text(json.dumps(answer, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
