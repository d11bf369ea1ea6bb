"""Sentences of a notebook that speak of its code alone, which the pages leave out: their code is folded.

A text cell with the tag ``notebook-only`` is shown by Jupyter and GitHub, between the code that it explains.
"""

import json

from sphinx.application import Sphinx

TAG = "notebook-only"


def without(text: str) -> str:
    """Return a notebook without the text cells that are for its readers alone.

    Parameters
    ----------
    text : str
        A notebook as JSON.

    Returns
    -------
    str
        The same text if no cell has the tag.

    Examples
    --------
    >>> without('{"cells": [{"cell_type": "markdown", "metadata": {"tags": ["notebook-only"]}}]}')
    '{"cells": []}'
    """
    if TAG not in text:
        return text
    notebook = json.loads(text)
    notebook["cells"] = [
        cell
        for cell in notebook["cells"]
        if cell["cell_type"] != "markdown" or TAG not in cell["metadata"].get("tags", [])
    ]
    return json.dumps(notebook, ensure_ascii=False)


def read(app: Sphinx, docname: str, source: list[str]) -> None:
    """Leave them out of a page that is made of a notebook."""
    if docname.startswith("notebooks/"):
        source[0] = without(source[0])


def setup(app: Sphinx) -> dict[str, bool]:
    """Connect to the reading of sources."""
    app.connect("source-read", read)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
