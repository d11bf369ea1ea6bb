"""Leave out of the built pages what they do not use: icons that none shows, the theme's own search."""

import re
from collections.abc import Iterable
from pathlib import Path

from fontTools.subset import Options, Subsetter
from fontTools.ttLib import TTFont
from sphinx.application import Sphinx
from sphinx.errors import ExtensionError

# The script replaces each icon by a drawing. The style sheet draws the same icons with a font.
ICONS = "fontawesome"
# What Sphinx searches whole pages with, on every page; `section_search` takes its place.
SEARCH = ("searchtools", "language_data", "searchindex")
NAME = re.compile(r"\bfa-[a-z0-9-]+")
RULE = re.compile(r'((?:\.fa-[a-z0-9-]+::?before,?)+)\{content:"([^"]*)"\}')
ESCAPE = re.compile(r"\\([0-9a-f]{2,6})")
PRIVATE = re.compile("[\ue000-\uf8ff]")  # where icon fonts keep their signs
FACE = re.compile(r"@font-face\{[^}]*vendor/fontawesome/webfonts/(fa-[a-z0-9-]+)\.woff2[^}]*\}")
SOURCE = re.compile(r"src:[^;}]*")


def without_scripts(page: str, *names: str) -> str:
    """Return a page without some of its scripts.

    Parameters
    ----------
    page : str
        HTML.
    *names : str
        Names of the scripts' files, without ``.js``.

    Returns
    -------
    str
        HTML.
    """
    either = "|".join(map(re.escape, names))
    return re.sub(rf'\s*<script[^>]*src="(?:[^"]*/)?(?:{either})\.js[^"]*"[^>]*></script>', "", page)


def without_unused(style: str, names: Iterable[str]) -> str:
    """Return a style sheet without the rules of icons that no page names.

    Parameters
    ----------
    style : str
        CSS.
    names : iterable of str
        Classes of the icons that pages name, as ``fa-download``.

    Returns
    -------
    str
        CSS.
    """
    wanted = set(names)
    return RULE.sub(lambda rule: rule[0] if wanted & set(NAME.findall(rule[1])) else "", style)


def signs(style: str) -> set[int]:
    """Return the code points of the icons that a style sheet draws.

    Parameters
    ----------
    style : str
        CSS, with signs as themselves or escaped.

    Returns
    -------
    set of int
        Code points in the private area of Unicode.
    """
    plain = ESCAPE.sub(lambda code: chr(int(code[1], 16)), style)
    return {ord(sign) for sign in PRIVATE.findall(plain)}


def subset(font: Path, codes: set[int]) -> bool:
    """Write the part of a font that draws some signs beside it, as ``.woff``.

    Parameters
    ----------
    font : Path
        A TrueType font.
    codes : set of int
        Code points of the signs.

    Returns
    -------
    bool
        Whether the font has any of them; if not, nothing is written.
    """
    with TTFont(font, recalcTimestamp=False) as drawn:
        if not codes & set(drawn.getBestCmap()):
            return False
        subsetter = Subsetter(Options(layout_features=[], notdef_outline=False))
        subsetter.populate(unicodes=codes)
        subsetter.subset(drawn)
        drawn.flavor = "woff"
        drawn.save(font.with_suffix(".woff"))
    return True


def _with_part(style: str, fonts: Path, codes: set[int]) -> str:
    """Return the style sheet with faces that name the parts of fonts; those without a sign go."""

    def face(found: re.Match[str]) -> str:
        if not subset(fonts / f"{found[1]}.ttf", codes):
            return ""
        source = f'src:url(../vendor/fontawesome/webfonts/{found[1]}.woff) format("woff")'
        return SOURCE.sub(source, found[0])

    return FACE.sub(face, style)


def lighten(app: Sphinx, exception: Exception | None) -> None:
    """Take from the built book what draws icons that no page shows, and the scripts' source maps."""
    if exception is not None or app.builder.format != "html":
        return
    out = Path(app.outdir)
    names: set[str] = set()
    for path in out.rglob("*.html"):
        page = path.read_text(encoding="utf-8")
        names |= set(NAME.findall(page))
        path.write_text(without_scripts(page, ICONS, *SEARCH), encoding="utf-8")
    static = out / "_static"
    sheet, fonts = static / "styles" / "pydata-sphinx-theme.css", static / "vendor/fontawesome/webfonts"
    style = without_unused(sheet.read_text(encoding="utf-8"), names)
    if not FACE.search(style):
        raise ExtensionError(f"{sheet.name} names no font of icons: the theme keeps them elsewhere now")
    others = "".join(path.read_text(encoding="utf-8") for path in (static / "styles").glob("*book*.css"))
    sheet.write_text(_with_part(style, fonts, signs(style + others)), encoding="utf-8")
    fonts_of_all = {path for kind in ("*.ttf", "*.woff2") for path in fonts.glob(kind)}
    for path in fonts_of_all | {*static.rglob("*.map"), *(static / "scripts").glob(f"{ICONS}*")}:
        path.unlink()


def setup(app: Sphinx) -> dict[str, bool]:
    """Connect to the end of the build."""
    app.connect("build-finished", lighten)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
