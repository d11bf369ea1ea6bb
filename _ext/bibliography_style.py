"""The bibliography style ``keys``: entries labelled by their key, titles as their authors wrote them.

The data name their sources by these keys, so a reader can look one up.
"""

from collections.abc import Iterable, Iterator

from pybtex.database import Entry
from pybtex.plugin import register_plugin
from pybtex.style.formatting.unsrt import Style as UnsortedStyle
from pybtex.style.labels import BaseLabelStyle
from pybtex.style.template import Node, field, sentence
from sphinx.application import Sphinx


class KeyLabels(BaseLabelStyle):
    """Label each entry by its key."""

    def format_labels(self, sorted_entries: Iterable[Entry]) -> Iterator[str]:
        """Return the keys, in the order of the entries."""
        return (entry.key for entry in sorted_entries)


class KeysStyle(UnsortedStyle):
    """Alphabetical entries under their keys."""

    default_sorting_style = "author_year_title"
    default_label_style = "keys"

    def format_title(self, entry: Entry, which_field: str, as_sentence: bool = True) -> Node:
        """Return the title as it stands, where pybtex would put it in lower case."""
        title = field(which_field)
        return sentence[title] if as_sentence else title


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the style."""
    register_plugin("pybtex.style.labels", "keys", KeyLabels)
    register_plugin("pybtex.style.formatting", "keys", KeysStyle)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
