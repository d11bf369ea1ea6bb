"""Make the bibliography's markup valid for screen readers."""

from typing import Any

from sphinx.application import Sphinx

# docutils marks the container as a list, yet its entries carry a role that is no list item.
INVALID = '<div role="list" class="citation-list">'
VALID = '<div class="citation-list">'


def correct_roles(
    app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: Any
) -> None:
    """Take the list role from citation lists in the page's body."""
    if "body" in context:
        context["body"] = context["body"].replace(INVALID, VALID)


def setup(app: Sphinx) -> dict[str, bool]:
    """Connect the correction."""
    app.connect("html-page-context", correct_roles)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
