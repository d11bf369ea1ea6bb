"""Run a function for one type after another, each in a child process, so that none stops the rest."""

from __future__ import annotations

import json
import os
import resource
import signal
import traceback
from collections.abc import Callable, Iterable, Iterator
from typing import Any


def each(
    names: Iterable[str], work: Callable[[str], Any], seconds: int = 120
) -> Iterator[tuple[str, Any, str]]:
    """Yield (name, result, error) for every name; the result must be JSON."""
    for name in names:
        read, write = os.pipe()
        child = os.fork()
        if not child:
            os.close(read)
            resource.setrlimit(resource.RLIMIT_AS, (20 << 30, 20 << 30))
            signal.alarm(seconds)
            try:
                answer = {"result": work(name), "error": ""}
            except BaseException as error:
                last = traceback.extract_tb(error.__traceback__)[-1]
                where = f"{os.path.basename(last.filename)}:{last.lineno}"
                answer = {"result": None, "error": f"{type(error).__name__}: {str(error)[:300]} ({where})"}
            with os.fdopen(write, "w") as pipe:
                pipe.write(json.dumps(answer))
            os._exit(0)
        os.close(write)
        with os.fdopen(read) as pipe:
            text = pipe.read()
        _, status = os.waitpid(child, 0)
        answer = json.loads(text) if text else {"result": None, "error": f"the process died ({status})"}
        yield name, answer["result"], answer["error"]
