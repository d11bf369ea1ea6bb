"""Draw each figure of a notebook a second time, for readers of the dark theme."""

import colorsys
import re
from pathlib import Path

from sphinx.application import Sphinx

COLOUR = re.compile(r"#[0-9a-fA-F]{6}\b")
IMAGE = re.compile(
    r'<img(?P<before>[^>]*?) src="(?P<source>[^"]*_images/[0-9a-f]{64})\.svg"(?P<after>[^>]*)>'
)
CLASS = re.compile(r' class="[^"]*"')
GROUND = (0x12, 0x12, 0x12)  # the theme's own, so that halos of labels vanish in it
GREY = 0.12  # spread of the three parts below which a colour is ink or paper, not a colour
DEEP, BRIGHT = 0.45, 0.85  # lightness: below, a colour is hard to see on a dark ground; above, it glares


def in_dark(colour: str) -> str:
    """Return the colour that plays the same part on a dark ground.

    Parameters
    ----------
    colour : str
        Six hexadecimal digits after ``#``.

    Returns
    -------
    str
        Ink becomes paper and paper the ground; a deep colour becomes brighter and a pale tint deeper, both
        of the same hue.

    Examples
    --------
    >>> in_dark("#ffffff"), in_dark("#333333"), in_dark("#0173b2")
    ('#121212', '#d0d0d0', '#019ef5')
    """
    red, green, blue = (int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5))
    hue, lightness, saturation = colorsys.rgb_to_hls(red, green, blue)
    spread = max(red, green, blue) - min(red, green, blue)
    if spread < GREY:
        mixed = [end + (1 - lightness) * (255 - end) for end in GROUND]
        return "#" + "".join(f"{round(part):02x}" for part in mixed)
    if lightness > BRIGHT:
        lightness = 1 - lightness + 0.15
    elif lightness < DEEP:
        lightness = DEEP + (DEEP - lightness) / 3
    return "#" + "".join(
        f"{round(255 * part):02x}" for part in colorsys.hls_to_rgb(hue, lightness, saturation)
    )


def drawing_in_dark(svg: str) -> str:
    """Return a drawing with each of its colours as `in_dark` has it.

    Parameters
    ----------
    svg : str
        SVG, whose colours are written as six hexadecimal digits.

    Returns
    -------
    str
        SVG.
    """
    return COLOUR.sub(lambda found: in_dark(found[0].lower()), svg)


def both(image: re.Match[str]) -> str:
    """Return the tags of an image for the light theme and for the dark one.

    Only the one that is shown is loaded: both wait until they are seen. The theme dims every other image in
    the dark, but for those of its class ``dark-light``.

    Parameters
    ----------
    image : re.Match
        Of `IMAGE`.

    Returns
    -------
    str
        HTML.
    """
    rest = CLASS.sub("", image["before"] + image["after"]).rstrip(" /")
    return "".join(
        f'<img class="{shown}" loading="lazy"{rest} src="{image["source"]}{suffix}" />'
        for shown, suffix in (("in-light", ".svg"), ("in-dark dark-light", "-dark.svg"))
    )


def draw(app: Sphinx, exception: Exception | None) -> None:
    """Write the dark figures of the built book, and name them in its pages."""
    if exception is not None or app.builder.format != "html":
        return
    out = Path(app.outdir)
    for path in out.rglob("*.html"):
        page = path.read_text(encoding="utf-8")
        for image in IMAGE.finditer(page):
            drawing = out / "_images" / f"{Path(image['source']).name}.svg"
            dark = drawing.with_name(f"{drawing.stem}-dark.svg")
            dark.write_text(drawing_in_dark(drawing.read_text(encoding="utf-8")), encoding="utf-8")
        path.write_text(IMAGE.sub(both, page), encoding="utf-8")


def setup(app: Sphinx) -> dict[str, bool]:
    """Connect to the end of the build."""
    app.connect("build-finished", draw)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
