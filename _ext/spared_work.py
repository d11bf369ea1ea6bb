"""Spare a build the work that changes no page: it would take twice as long again.

A build makes millions of nodes that live to its end, and Python looks through all of them for garbage each
time that a few more were made: here it looks once, when all pages are read. docutils goes
through a whole page for each kind of node that it looks for, which a loop does faster than generators within
generators, and asks each node in turn for the document it is in. Sphinx copies all headings of all pages for
the list of pages beside each page, and takes them out again. For each citation the bibliography reads the
entry points of every installed package. Sphinx stems the words of each page for an index that
`section_search` takes away. autodoc reads each module word by word to know where definitions begin, which
only pages of sources would show, and the source of each function once more for types in comments, of which
this package has none.
"""

import gc
from collections.abc import Iterator
from functools import cache
from typing import Any

from docutils import nodes
from pybtex import plugin
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.environment.adapters import toctree
from sphinx.ext.autodoc import type_comment
from sphinx.pycode.parser import Parser

FINDALL = nodes.Node.findall


def index_no_page(app: Sphinx) -> None:
    """Leave the words of the pages out of the index of Sphinx."""

    def nothing(*given: Any) -> None:
        """Do nothing with a page, and write no index."""

    if app.builder.format == "html":
        app.builder.index_page = app.builder.dump_search_index = nothing  # type: ignore[attr-defined]


def find_nothing(*given: Any) -> None:
    """Find neither where the definitions of a module begin nor types in the comments of a function."""


def keep(*given: Any) -> None:
    """Throw away what was left behind as pages were read, and look at the rest no more."""
    gc.collect()
    gc.freeze()


def each(node: nodes.Node, kind: type = nodes.Node) -> Iterator[nodes.Node]:
    """Yield those of a kind of a node and all below it, in the order of the text."""
    if isinstance(node, kind):
        yield node
    rest = [iter(node.children)]
    while rest:
        for child in rest[-1]:
            if isinstance(child, kind):
                yield child
            if child.children:
                rest.append(iter(child.children))
                break
        else:
            rest.pop()


def findall(node: nodes.Node, condition: Any = None, *given: Any, **others: Any) -> Iterator[nodes.Node]:
    """Do as the method of docutils does, whose own way is taken for all but a node and what is below it."""
    if given or others:
        return FINDALL(node, condition, *given, **others)
    if isinstance(condition, type):
        return each(node, condition)
    return each(node) if condition is None else filter(condition, each(node))


def document_of(node: nodes.Node) -> nodes.document | None:
    """Return the document that a node is in."""
    one: nodes.Node | None = node
    while one is not None:
        if one._document is not None:  # type: ignore[attr-defined]
            return one._document  # type: ignore[attr-defined, no-any-return]
        one = one.parent
    return None


@cache
def titles(contents: nodes.bullet_list) -> nodes.bullet_list:
    """Return the contents of a page without its headings, where no list of pages stands among them."""
    if any(contents.findall(addnodes.toctree)):
        return contents
    short = contents.copy()
    for item in contents.children:
        short.append(item.copy())
        short[-1].extend(child.deepcopy() for child in item.children[:1])  # type: ignore[attr-defined]
    return short


def list_titles(app: Sphinx, env: BuildEnvironment) -> None:
    """Leave headings out of the lists of pages as they are copied, if they are left out afterwards."""
    if not all(one.get("titlesonly") for one in env.master_doctree.findall(addnodes.toctree)):
        return
    entry = toctree._toctree_standard_entry

    def entry_of_titles(
        title: str, ref: str, depth: int, contents: nodes.bullet_list, *given: Any
    ) -> tuple[nodes.bullet_list, str]:
        return entry(title, ref, depth, titles(contents), *given)

    toctree._toctree_standard_entry = entry_of_titles  # type: ignore[assignment]


def setup(app: Sphinx) -> dict[str, bool]:
    """Change what the build does for itself."""
    gc.disable()
    nodes.Node.findall = findall  # type: ignore[method-assign, assignment]
    nodes.Node.document = nodes.Node.document.getter(document_of)  # type: ignore[method-assign, attr-defined]
    plugin.entry_points = cache(plugin.entry_points)
    Parser.parse_definition = find_nothing  # type: ignore[method-assign, assignment]
    type_comment.get_type_comment = find_nothing  # type: ignore[assignment]
    app.connect("builder-inited", index_no_page)
    app.connect("env-updated", list_titles)
    app.connect("env-check-consistency", keep)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
