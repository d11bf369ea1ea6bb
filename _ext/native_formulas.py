"""Write formulas as MathML, which browsers show and read aloud by themselves: no script, no request."""

import re
from html import escape, unescape
from xml.etree import ElementTree

from docutils import nodes
from latex2mathml.converter import convert_to_element
from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.errors import ExtensionError
from sphinx.writers.html5 import HTML5Translator

LARGE = "∑∏"  # in a displayed formula their limits stand below and above
STACKED = {"msub": "munder", "msup": "mover", "msubsup": "munderover"}
LETTERS = re.compile(r"[A-Za-z]")
UNKNOWN = re.compile(r"\\[a-zA-Z]+")


def mathml(latex: str, displayed: bool = False) -> str:
    r"""Return a formula as MathML.

    Parameters
    ----------
    latex : str
        A formula in LaTeX, without the dollars around it.
    displayed : bool
        Whether it stands on a line of its own.

    Returns
    -------
    str
        A ``math`` element.

    Raises
    ------
    ValueError
        If the formula has a command that is not known, or lines set against one another.

    Examples
    --------
    >>> print(mathml("d_h"))
    <math display="inline"><mrow><msub><mi>d</mi><mi>h</mi></msub></mrow></math>
    """
    root = convert_to_element(latex.strip(), display="block" if displayed else "inline")
    root.attrib.pop("xmlns", None)
    for element in root.iter():
        element.text = text = unescape(element.text or "")
        if UNKNOWN.search(text) or "&" in text:
            raise ValueError(f"The formula {latex.strip()!r} has {text!r}, which MathML cannot say.")
        if displayed and element.tag in STACKED and element[0].text and element[0].text in LARGE:
            element.tag = STACKED[element.tag]
        if element.tag == "mrow" and len(element) > 1 and all(map(_upright, element)):
            _join(element)
    return ElementTree.tostring(root, encoding="unicode")


def _upright(element: ElementTree.Element) -> bool:
    return element.attrib == {"mathvariant": "normal"} and bool(LETTERS.fullmatch(element.text or ""))


def _join(row: ElementTree.Element) -> None:
    """Make one word of upright letters, which would be spaced and read as many."""
    row.tag, row.text = "mi", "".join(letter.text or "" for letter in row)
    for letter in list(row):
        row.remove(letter)


def _made(node: nodes.math | nodes.math_block, displayed: bool) -> str:
    try:
        return mathml(node.astext(), displayed)
    except ValueError as error:
        raise ExtensionError(f"{node.source}: {error}") from None


def visit_inline(translator: HTML5Translator, node: nodes.math) -> None:
    """Write a formula of a sentence."""
    translator.body.append(f'<span class="math">{_made(node, False)}</span>')
    raise nodes.SkipNode


def visit_displayed(translator: HTML5Translator, node: nodes.math_block) -> None:
    """Write a formula on a line of its own, in a box that scrolls where it is wider than the page."""
    label = escape(" ".join(node.astext().split()))
    box = f'<div class="math" role="region" tabindex="0" aria-label="Formula: {label}">'
    translator.body.append(f"{box}{_made(node, True)}</div>")
    raise nodes.SkipNode


def choose(app: Sphinx, config: Config) -> None:
    """Have pages written by this module rather than by MathJax."""
    config.html_math_renderer = "mathml"


def setup(app: Sphinx) -> dict[str, bool]:
    """Register what writes formulas, and choose it."""
    app.add_html_math_renderer("mathml", (visit_inline, None), (visit_displayed, None))
    app.connect("config-inited", choose)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
