"""Count a seeded sample of the recorded answers anew: ``python verify.py FOLDER [SHARE]``."""

from __future__ import annotations

import json
import random
import sys
from pathlib import Path

import arbiter
import forked
import make_mutations

SAME = {"kimi_k2": "deepseek_v3"}


def main() -> None:
    """Say how many answers are reproduced, and which are not."""
    folder, share = Path(sys.argv[1]), float(sys.argv[2]) if len(sys.argv) > 2 else 0.1
    cases = [json.loads(line) for line in (folder / "cases.jsonl").read_text(encoding="utf-8").splitlines()]
    known = {(case["type"], case["variant"]): case for case in cases}
    rows = [
        json.loads(line) for line in (folder / "mutations.jsonl").read_text(encoding="utf-8").splitlines()
    ]
    draw = random.Random(1)
    wanted: dict[str, list[tuple[dict, dict]]] = {}
    for case in cases:
        if case["total"] is not None and draw.random() < max(share, 0.25):
            config = {**case["config"], "model_type": SAME.get(case["type"], case["type"])}
            wanted.setdefault(case["type"], []).append((config, case))
    for row in rows:
        if "total" in row and draw.random() < share:
            base = known[row["type"], row["base"]]["config"]
            drop = row["op"] == "drop"
            config = make_mutations.changed(base, tuple(row["path"]), row["field"], row.get("value"), drop)
            wanted.setdefault(row["type"], []).append((config, row))

    def work(family: str) -> list[object]:
        wrong = []
        for config, row in wanted[family]:
            counted = arbiter.count(config)
            if any(counted[name] != row[name] for name in ("total", "active", "embedding")):
                wrong.append(row)
        return [len(wanted[family]), wrong]

    total = 0
    for name, result, error in forked.each(wanted, work, seconds=300):
        if error or result[1]:
            print(name, error or result[1])
        total += result[0] if result else 0
    print(f"{total} counted anew")


if __name__ == "__main__":
    main()
