"""Leave out the figures of a run, or draw a figure that is the same in many runs once.

A chapter draws by statements such as ``figures.draw_growth(...)``, whose value goes nowhere, of functions
that look at nothing but their arguments. Where the environment variable `SWITCH` holds `LEFT_OUT`, these
functions are not called; their arguments are computed all the same, and fail as they would. Where it holds a
folder, a drawing of the same function, arguments and style is taken from there, and put there when it is new.
"""

from __future__ import annotations

import ast
import hashlib
import json
import os
import pickle
import re
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

SWITCH = "COHORT_FIGURES"
LEFT_OUT = "none"
_CALL = "_cohort_drawing"
_HOME = re.compile(r"cohort\.chapters\.\w+\.(?:diagrams|(?:\w+_)?figures)(?:\.\w+)*")

Bundle = tuple[dict[str, Any], dict[str, Any]]


class DrawingCalls(ast.NodeTransformer):
    """Send the statements of a cell that only draw through this extension."""

    def visit_Module(self, node: ast.Module) -> ast.Module:
        """Change the statements of the cell itself; those within others stay.

        Parameters
        ----------
        node : ast.Module
            The cell.

        Returns
        -------
        ast.Module
        """
        node.body = [self._statement(one) for one in node.body]
        return ast.fix_missing_locations(node)

    def _statement(self, node: ast.stmt) -> ast.stmt:
        call = node.value if isinstance(node, ast.Expr) else None
        if not (isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute)):
            return node
        if not call.func.attr.startswith("draw_"):
            return node
        through = ast.Call(ast.Name(_CALL, ast.Load()), [call.func, *call.args], call.keywords)
        return ast.copy_location(ast.Expr(ast.copy_location(through, call)), node)


def divert(shell: Any) -> None:
    """Have a kernel draw as its environment says.

    Parameters
    ----------
    shell : InteractiveShell
        The shell of the kernel.
    """
    kept = os.environ.get(SWITCH, LEFT_OUT)
    folder = None if kept == LEFT_OUT else Path(kept)

    def draw(function: Callable[..., Any], *given: Any, **named: Any) -> Any:
        if not _HOME.fullmatch(getattr(function, "__module__", "")):
            return function(*given, **named)
        if folder is not None:
            _show(shell, folder, function, given, named)
        return None

    shell.push({_CALL: draw}, interactive=False)
    shell.ast_transformers.append(DrawingCalls())


def _show(
    shell: Any, folder: Path, function: Callable[..., Any], given: tuple[Any, ...], named: dict[str, Any]
) -> None:
    """Show a drawing that is kept; else draw, keep and show it."""
    from IPython.display import display

    path = _place(folder, function, given, named)
    bundle = _kept(path) if path else None
    if bundle is None:
        drawn = function(*given, **named)
        if path is None:
            return  # it is shown at the end of the cell, as any figure
        bundle = shell.display_formatter.format(drawn)
        _keep(path, bundle)
        _close(drawn)
    data, metadata = bundle
    display(data, metadata=metadata, raw=True)  # type: ignore[no-untyped-call]


def _place(
    folder: Path, function: Callable[..., Any], given: tuple[Any, ...], named: dict[str, Any]
) -> Path | None:
    """Return the file of a drawing; None for arguments that cannot be told from others."""
    import matplotlib as mpl

    style = repr(sorted(mpl.rcParams.items(), key=str))
    try:
        what = pickle.dumps((function.__module__, function.__qualname__, style, given, named))
    except Exception:  # objects raise what they like
        return None
    return folder / f"{hashlib.sha256(what).hexdigest()}.json"


def _kept(path: Path) -> Bundle | None:
    try:
        data, metadata = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return data, metadata


def _keep(path: Path, bundle: Bundle) -> None:
    """Write a drawing whole, since other kernels read it."""
    try:
        handle, temporary = tempfile.mkstemp(dir=path.parent)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(bundle, file)
        Path(temporary).replace(path)
    except OSError:  # it is drawn again where it is wanted again
        return


def _close(drawn: Any) -> None:
    import matplotlib.pyplot as plt

    plt.close(drawn)
