"""What readers call a scaling law: its authors and year, where the data have a key."""

from __future__ import annotations

from collections.abc import Iterable

from cohort.errors.arguments import explain
from cohort.errors.names import listed

TITLES = {
    "hoffmann": "Hoffmann et al. 2022",
    "hoffmann-unrounded": "Hoffmann, unrounded",
    "besiroglu": "Besiroglu et al. 2024",
    "besiroglu-unrounded": "Besiroglu, unrounded",
    "sardana": "Sardana et al. 2024",
    "sardana-refit": "Sardana, own runs",
    "muennighoff": "Muennighoff et al. 2023",
    "muennighoff-untied": "Muennighoff, two exponents",
    "fitted": "this fit",
}


def law_title(name: str) -> str:
    """Return what readers call a law.

    Parameters
    ----------
    name : str
        Key of a published law, as `cohort.law` takes it, or any other name.

    Returns
    -------
    str
        Another name stays as it is.

    Examples
    --------
    >>> law_title("hoffmann"), law_title("this fit")
    ('Hoffmann et al. 2022', 'this fit')
    """
    return TITLES.get(name, name)


def listed_laws(names: Iterable[str]) -> str:
    """Return what readers call several laws, as a list in a sentence.

    Parameters
    ----------
    names : iterable of str
        Keys, at least one.

    Returns
    -------
    str
        Markdown.

    Examples
    --------
    >>> listed_laws(["hoffmann", "sardana", "besiroglu"])
    'Hoffmann et al. 2022, Sardana et al. 2024 and Besiroglu et al. 2024'
    """
    return listed([law_title(name) for name in names])


explain(__name__)
