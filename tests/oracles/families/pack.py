"""Pack the recorded answers beside the tests that replay them: ``python pack.py FOLDER``.

FOLDER is where `make_defaults`, `make_recalled`, `make_bases` and `make_mutations` have written theirs.
"""

from __future__ import annotations

import json
import lzma
import sys
from pathlib import Path

HERE = Path(__file__).parent
PARTS = ("defaults", "recalled", "bases")
KEPT = ("type", "variant", "config", "total", "active", "embedding")


def main() -> None:
    """Write ``cases.jsonl.xz``, ``mutations.jsonl.xz`` and ``types.json``."""
    folder = Path(sys.argv[1])
    cases = []
    for part in PARTS:
        for line in (folder / f"{part}.jsonl").read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            cases.append({name: row[name] for name in KEPT if row.get(name) is not None})
    _write("cases", [json.dumps(case, separators=(",", ":")) for case in cases])
    _write("mutations", (folder / "mutations.jsonl").read_text(encoding="utf-8").splitlines())
    known = json.loads((folder / "types.json").read_text(encoding="utf-8"))
    kinds = {name: about["kind"] for name, about in sorted(known["types"].items())}
    text = json.dumps({"transformers": known["transformers"], "types": kinds}, indent=1)
    (HERE / "types.json").write_text(text + "\n", encoding="utf-8")


def _write(name: str, lines: list[str]) -> None:
    packed = lzma.compress("\n".join(lines).encode(), preset=9)
    (HERE / f"{name}.jsonl.xz").write_bytes(packed)


if __name__ == "__main__":
    main()
