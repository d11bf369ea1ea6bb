"""One test of many rows: each row is tried, and those that fail are told by name."""

import functools
import inspect
from collections.abc import Callable, Iterable
from typing import Any


def each_of(
    names: str | tuple[str, ...], rows: Iterable[Any], ids: Callable[[Any], object] = str
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Try a test with each of the rows, as pytest's ``parametrize`` does, in one test.

    A test of its own takes longer than a look at a row. What a test takes beside the rows are fixtures, which
    all rows share.
    """
    taken, many = [names] if isinstance(names, str) else list(names), list(rows)
    assert many, "no row to try"

    def with_rows(test: Callable[..., None]) -> Callable[..., None]:
        @functools.wraps(test)
        def tried(**fixtures: Any) -> None:
            wrong = []
            for row in many:
                given = [row] if isinstance(names, str) else row
                try:
                    test(**dict(zip(taken, given, strict=True)), **fixtures)
                except Exception as error:
                    error.add_note(f"of {ids(row)}")
                    wrong.append(error)
            if wrong:
                raise ExceptionGroup(f"of {len(many)} rows", wrong)

        signature = inspect.signature(test)
        rest = [part for name, part in signature.parameters.items() if name not in taken]
        tried.__signature__ = signature.replace(parameters=rest)
        return tried

    return with_rows
