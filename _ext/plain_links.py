"""Citations and terms of notebooks as links that Jupyter and GitHub show too, made roles when they are read.

A notebook cites as ``([Shazeer, 2019](../bibliography.md#shazeer2019mqa))``, several sources with semicolons
between them, and refers to a term as ``[sliding window](../glossary.md#sliding-window)``. The book prints the
first as it prints every citation, and the second with the glossary's definition.
"""

import re

from sphinx.application import Sphinx

SOURCE = r"\[[^\[\]]+\]\(\.\./bibliography\.md#([a-z0-9]+)\)"
CITATION = re.compile(rf"\({SOURCE}(?:; {SOURCE})*\)")
KEY = re.compile(r"\.\./bibliography\.md#([a-z0-9]+)\)")
TERM = re.compile(r"\[([^\[\]]+)\]\(\.\./glossary\.md#([a-z0-9-]+)\)")


def slug(term: str) -> str:
    """Return how a term is written in an address.

    Parameters
    ----------
    term : str
        As the glossary has it.

    Returns
    -------
    str

    Examples
    --------
    >>> slug("KV cache")
    'kv-cache'
    """
    return re.sub(r"[^a-z0-9]+", "-", term.lower()).strip("-")


def terms(glossary: str) -> dict[str, str]:
    r"""Return the terms of the glossary by how an address writes them.

    Parameters
    ----------
    glossary : str
        Its Markdown: a term is a line of its own before lines that are set in.

    Returns
    -------
    dict of str to str

    Examples
    --------
    >>> terms(":::{glossary}\nKV cache\n  What is kept.\n:::")
    {'kv-cache': 'KV cache'}
    """
    return {slug(term): term for term in re.findall(r"^(\w[^\n]*)\n(?=  \S)", glossary, re.MULTILINE)}


def with_roles(text: str, known: dict[str, str]) -> str:
    """Return a text whose links to the bibliography and the glossary are roles.

    Parameters
    ----------
    text : str
        Markdown, or a notebook as JSON.
    known : dict of str to str
        As `terms` returns them.

    Returns
    -------
    str

    Raises
    ------
    ValueError
        If a link names a term that the glossary lacks, or to a source that stands in no brackets.

    Examples
    --------
    >>> with_roles("Shared ([Shazeer, 2019](../bibliography.md#shazeer2019mqa)).", {})
    'Shared {cite:p}`shazeer2019mqa`.'
    >>> with_roles("The [caches](../glossary.md#kv-cache) grow.", {"kv-cache": "KV cache"})
    'The {term}`caches <KV cache>` grow.'
    """

    def term(found: re.Match[str]) -> str:
        if found[2] not in known:
            raise ValueError(f"The glossary has no term for the link {found[0]}.")
        return f"{{term}}`{found[1]} <{known[found[2]]}>`"

    text = CITATION.sub(lambda found: f"{{cite:p}}`{','.join(KEY.findall(found[0]))}`", text)
    if alone := KEY.search(text):
        raise ValueError(f"The link to the source {alone[1]} stands in no brackets of its own.")
    return TERM.sub(term, text)


def read(app: Sphinx, docname: str, source: list[str]) -> None:
    """Make roles of the links of a notebook."""
    if docname.startswith("notebooks/"):
        glossary = (app.srcdir / "glossary.md").read_text(encoding="utf-8")
        source[0] = with_roles(source[0], terms(glossary))


def setup(app: Sphinx) -> dict[str, bool]:
    """Connect to the reading of sources."""
    app.connect("source-read", read)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
