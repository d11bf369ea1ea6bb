"""Phrases around numbers that hold for one as for many, and for the smallest as for the largest."""

from __future__ import annotations

from cohort.display.words import counted, scaled, significant

_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def power_of_ten(value: float, digits: int = 3) -> str:
    """Return a number as a power of ten where it is very large or very small, such as an amount of compute.

    Parameters
    ----------
    value : float
        A finite number.
    digits : int
        How many of its digits count.

    Returns
    -------
    str

    Examples
    --------
    >>> power_of_ten(5.76e23), power_of_ten(1e-12), power_of_ten(1e18), power_of_ten(1284)
    ('5.76 × 10²³', '10⁻¹²', '10¹⁸', '1,280')
    """
    factor, power = f"{value:.{digits - 1}e}".split("e")
    if -4 < int(power) < 6 or not value:
        return significant(value, digits)
    raised = f"10{str(int(power)).translate(_RAISED)}"
    return raised if float(factor) == 1 else f"{float(factor):g} × {raised}"


def among(some: int, every: int, noun: str) -> str:
    """Return how many of a number of things, without a "1 of 1".

    Parameters
    ----------
    some, every : int
        How many of how many.
    noun : str
        What one is called.

    Returns
    -------
    str
        Of one thing "the one model", or "no models", which takes the verb of zero.

    Examples
    --------
    >>> among(3, 14, "model"), among(1, 1, "model"), among(0, 1, "model")
    ('3 of 14 models', 'the one model', 'no models')
    """
    if every == 1:
        return f"the one {noun}" if some else f"no {noun}s"
    return f"{some:,} of {counted(every, noun)}"


def amount(value: float, singular: str, plural: str | None = None, digits: int = 3) -> str:
    """Return a number that need not be whole with its noun.

    Parameters
    ----------
    value : float
        A finite number.
    singular : str
        What one is called.
    plural : str, optional
        What any other number is called, where an s does not make it.
    digits : int
        How many of its digits count.

    Returns
    -------
    str

    Examples
    --------
    >>> amount(1.0, "token"), amount(1e13, "token"), amount(1.0004, "day")
    ('1 token', '10 trillion tokens', '1 day')
    """
    written = scaled(value, digits)
    return f"{written} {singular if written == '1' else plural or singular + 's'}"


def scaled_range(low: float, high: float, digits: int = 3) -> str:
    """Return a range with the word for its size, once for both; one value where both read alike.

    Parameters
    ----------
    low, high : float
        Finite numbers.
    digits : int
        How many of their digits count.

    Returns
    -------
    str

    Examples
    --------
    >>> scaled_range(4.89e12, 26.4e12), scaled_range(9.5e8, 1.2e9, 2)
    ('4.89 to 26.4 trillion', '950 million to 1.2 billion')
    """
    first, last = scaled(low, digits), scaled(high, digits)
    if first == last:
        return first
    number, _, word = first.partition(" ")
    return f"{number if word and last.endswith(f' {word}') else first} to {last}"


def percent(share: float) -> str:
    """Return a share in whole per cent; what only rounding makes nothing, or all, is said to be near it.

    Parameters
    ----------
    share : float
        At least 0, but for rounding.

    Returns
    -------
    str

    Examples
    --------
    >>> percent(0.118), percent(0.005), percent(0.9999), percent(1.0)
    ('12%', 'less than 1%', 'more than 99%', '100%')
    """
    if 0.995 <= share < 1 - 1e-9:
        return "more than 99%"
    return f"{100 * share:.0f}%" if share > 0.005 else "less than 1%"  # a half is rounded to the even number


def of_all(some: int, every: int, noun: str) -> str:
    """Return how many of a number of things, with a word for all of them.

    Parameters
    ----------
    some, every : int
        How many of how many.
    noun : str
        What one is called.

    Returns
    -------
    str

    Examples
    --------
    >>> of_all(3, 14, "model"), of_all(9, 9, "model"), of_all(1, 1, "model")
    ('3 of 14 models', 'all 9 models', 'the one model')
    """
    return f"all {counted(every, noun)}" if some == every > 1 else among(some, every, noun)


def then(low: float, high: float, form: str = ".0f") -> str:
    """Return two values that follow each other, or the one that both are as they are written.

    Parameters
    ----------
    low, high : float
        The values.
    form : str
        How each is formatted.

    Returns
    -------
    str

    Examples
    --------
    >>> then(2, 1.6, ".1f"), then(2.01, 2.02, ".1f")
    ('2.0 and then 1.6', '2.0 at both')
    """
    first, last = format(low, form), format(high, form)
    return f"{first} at both" if first == last else f"{first} and then {last}"


def signed(value: float, form: str = "+.0f") -> str:
    """Return a change with its sign, below nothing with a minus and not with a hyphen.

    Parameters
    ----------
    value : float
        A finite number.
    form : str
        How it is formatted; with a plus first, growth has a sign too.

    Returns
    -------
    str

    Examples
    --------
    >>> signed(-11.2), signed(46.6), signed(-16.4, "+.1f"), signed(-0.2), signed(0.6, ".2f")
    ('−11', '+47', '−16.4', '+0', '0.60')
    """
    sign = "+" if form.startswith("+") else ""
    exact = f"{sign}z{form.removeprefix('+')}"  # z: no negative zero
    return f"{value:{exact}}".replace("-", "−")


_WITH_ARTICLE = ("USA", "UK", "EU27", "Netherlands", "Philippines", "Bahamas", "Gambia", "Maldives")
_ENDINGS_WITH_ARTICLE = ("Islands", "Republic", "Emirates", "States", "Kingdom")


def placed(place: str) -> str:
    """Return the name of a place as it stands in a sentence, with the article that it takes there.

    Parameters
    ----------
    place : str
        As the data call it.

    Returns
    -------
    str

    Examples
    --------
    >>> placed("USA"), placed("France"), placed("World"), placed("US-Virginia")
    ('the USA', 'France', 'the world', 'US-Virginia')
    """
    if place == "World":
        return "the world"
    return f"the {place}" if place in _WITH_ARTICLE or place.endswith(_ENDINGS_WITH_ARTICLE) else place
