"""Spare a build the work that changes no page: it would take half as long again.

A build makes millions of nodes that live to its end, and Python looks through all of them for garbage each
time that a few thousand more were made. For each citation the bibliography reads the entry points of every
installed package. Sphinx stems the words of each page for an index that `section_search` takes away. autodoc
reads each module word by word to know where definitions begin, which only pages of sources would show, and
the source of each function once more for types in comments, of which this package has none.
"""

import gc
from functools import cache
from typing import Any

from pybtex import plugin
from sphinx.application import Sphinx
from sphinx.ext.autodoc import type_comment
from sphinx.pycode.parser import Parser

MANY = 200_000  # new objects after which garbage is looked for; by default 700


def index_no_page(app: Sphinx) -> None:
    """Leave the words of the pages out of the index of Sphinx."""

    def nothing(*given: Any) -> None:
        """Do nothing with a page, and write no index."""

    if app.builder.format == "html":
        app.builder.index_page = app.builder.dump_search_index = nothing  # type: ignore[attr-defined]


def find_nothing(*given: Any) -> None:
    """Find neither where the definitions of a module begin nor types in the comments of a function."""


def setup(app: Sphinx) -> dict[str, bool]:
    """Change what the build does for itself."""
    gc.set_threshold(MANY, 50, 100)
    plugin.entry_points = cache(plugin.entry_points)
    Parser.parse_definition = find_nothing  # type: ignore[method-assign, assignment]
    type_comment.get_type_comment = find_nothing  # type: ignore[assignment]
    app.connect("builder-inited", index_no_page)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
