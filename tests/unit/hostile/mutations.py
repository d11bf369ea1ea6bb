"""Files that are not what they should be: seeded changes of a good one, and what is no file at all."""

import copy
import json
import os
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

# What stands anywhere in place of a value, a cell or a word.
WORDS: tuple[str, ...] = (
    "", " ", "null", "true", "5", "-1", "1e999", "nan", "NaN", "-inf", "1" * 5000,
    "[1]", "{}", "[]", '"', "'",
    "\x00", "\x1b[2J", "\u202e", "\ufeff", "=1+1", "../../etc/passwd", "<script>", "&a [*a, *a]", "!!int abc",
    "!!python/object/apply:os.system [ls]", "<<: *x", "\t", "\r", "x" * 10_000, "[" * 3_000, "{" * 3_000,
)  # fmt: skip
VALUES: tuple[Any, ...] = (
    None, True, 5, -1, 1e308, 10**30, "", "x" * 10_000, "\x1b[2J\n", [], [1], [None], {}, {"": []},
)  # fmt: skip


def bombs() -> list[str]:
    """Return texts that grow or nest without end: lists in lists, and aliases to aliases in YAML."""
    aliases = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n" + "".join(
        f"a{k}: &a{k} [{', '.join([f'*a{k - 1}'] * 9)}]\n" for k in range(1, 12)
    )
    return [
        "[" * 200_000,
        '{"a":' * 100_000,
        "- " * 50_000,
        "[" * 900 + "]" * 900,
        aliases,
        " " * 100_000 + "x",
    ]


def mutated(good: bytes, draw: random.Random) -> bytes:
    """Return a good file changed in one of many ways."""
    return draw.choice(WAYS)(good, draw)


def flipped(good: bytes, draw: random.Random) -> bytes:
    changed = bytearray(good)
    for _ in range(draw.choice((1, 3, 30))):
        changed[draw.randrange(len(changed))] ^= 1 << draw.randrange(8)
    return bytes(changed)


def cut(good: bytes, draw: random.Random) -> bytes:
    begin, end = sorted(draw.randrange(len(good)) for _ in range(2))
    return draw.choice((good[:begin], good[begin:], good[:begin] + good[end:], good[:end] + good[begin:]))


def inserted(good: bytes, draw: random.Random) -> bytes:
    place, width = draw.randrange(len(good)), draw.choice((0, 1, 8))
    return good[:place] + draw.choice(WORDS).encode() + good[place + width :]


def one_word(good: bytes, draw: random.Random) -> bytes:
    """Replace one cell, key or word by another."""
    marks = [place for place, byte in enumerate(good) if byte in b',:;"\n ']
    begin, end = sorted(draw.sample(marks, 2)) if len(marks) > 1 else (0, len(good))
    end = min(end, next((mark for mark in marks if mark > begin), end))
    return good[: begin + 1] + draw.choice(WORDS).encode() + good[end:]


def encoded(good: bytes, draw: random.Random) -> bytes:
    text = good.decode("utf-8", "replace")
    return draw.choice(
        (
            text.encode("utf-16"), text.encode("utf-32"), text.encode("cp500", "replace"), b"\xff" + good,
            good + "é".encode("latin-1"), b"", b"\x00" * 100, os.urandom(0) + bytes(range(256)),
        )
    )  # fmt: skip


def bombed(_: bytes, draw: random.Random) -> bytes:
    return draw.choice(bombs()).encode()


def another_value(good: bytes, draw: random.Random) -> bytes:
    """Replace, remove or add a value somewhere in JSON."""
    try:
        root = json.loads(good)
    except ValueError:
        return one_word(good, draw)
    root = copy.deepcopy(root)
    places = [(None, None), *inside(root)]
    for _ in range(draw.choice((1, 1, 3))):
        parent, key = draw.choice(places)
        if parent is None:
            continue
        if draw.random() < 0.2 and isinstance(parent, dict):
            parent.pop(key, None)
        else:
            parent[key] = draw.choice(VALUES)
    return json.dumps(root).encode()


def inside(node: Any) -> list[tuple[Any, Any]]:
    """Return the place of each value within a value."""
    pairs = list(
        node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    )
    return [(node, key) for key, _ in pairs] + [each for _, value in pairs for each in inside(value)]


WAYS: tuple[Callable[[bytes, random.Random], bytes], ...] = (
    flipped, cut, inserted, one_word, one_word, encoded, bombed, another_value, another_value, another_value,
)  # fmt: skip


def no_files(folder: Path) -> list[Path]:
    """Return paths of what cannot be read as a file: pipes, devices, folders, loops and gigabytes."""
    pipe, loop, huge, closed = (folder / name for name in ("pipe", "loop", "huge", "\x1b[2J\n.json"))
    os.mkfifo(pipe)
    loop.symlink_to(loop)
    with huge.open("wb") as file:
        file.truncate(2**30)
    return [
        pipe, loop, huge, closed, folder, folder / "nowhere", folder / ("x" * 300), Path("/dev/zero"),
        Path("/dev/null"), Path("/dev/random"), Path("nul\x00l"), Path("\ud800"), Path(""),
    ]  # fmt: skip
