"""The directive ``panel``: a form and its answer, worked out at build time, and live once a reader starts it.

Without a script, or without WebAssembly, a page shows the answer to the defaults. A reader who starts a panel
gets the same package in the page: Pyodide runs it in a worker, from the book's own files. The archive that it
runs holds `cohort` and what data the panels read, with fixed times and in a fixed order, so that two builds
give the same bytes. Where Pyodide is not installed (``npm ci``), pages stay as they are built.
"""

import ast
import json
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from docutils import nodes
from figures_in_dark import in_dark
from sphinx.application import Sphinx
from sphinx.errors import ExtensionError
from sphinx.util.docutils import SphinxDirective
from wide_html import TEMPLATES

import cohort
from cohort.panels import ask, panel, panels
from cohort.panels.inputs import Input
from cohort.panels.live import respond
from cohort.panels.markup import answer_html
from cohort.panels.svg import COLOURS
from cohort.registry.facts import data_folder

ASSETS = Path(__file__).parent / "assets"
FOLDER = "explorer"
SCRIPT, STYLE, WORKER = "live_panels.js", "live_panels.css", "live_panels_worker.js"
ARCHIVE = "cohort.zip"
PYODIDE = Path("node_modules") / "pyodide"
# What of Pyodide a page loads; its map files, types and consoles stay where they are.
RUNTIME = ("pyodide.mjs", "pyodide.asm.mjs", "pyodide.asm.wasm", "pyodide-lock.json", "python_stdlib.zip")
EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest time that an archive can state
# Wings that no panel needs, which need more than the standard library or are about other things.
LEFT_OUT = {"chapters", "fitting", "reports", "runner"}
MARK = 'class="panel'
FOLD = (
    '<details class="panel-fold" data-panel="{panel}" data-fragment="{file}"><summary>{words}</summary>'
    '<div class="panel-place"></div><p><a href="{page}">All panels are on the page Explore.</a></p></details>'
)
# In which chapter a panel stands folded, and what is asked there in place of the defaults.
IN_CHAPTERS: dict[str, tuple[str, dict[str, str]]] = {
    "attention_memory": ("memory", {}),
    "serving_roofline": ("serving", {}),
    "chinchilla_fit": ("data", {}),
    "data_optimal": ("data", {"question": "model"}),
    "expert_tradeoffs": ("experts", {}),
    "training_footprint": ("footprint", {"question": "hours"}),
    "serving_footprint": ("footprint", {}),
    "decide": ("choose", {"apart": "yes"}),
}
PAGE = "explore"
INVITING = "try-it"  # the section that a chapter's panel belongs to


class made_panel(nodes.General, nodes.Element):  # noqa: N801 - docutils names its nodes so
    """A panel, the addresses of which are still to be resolved."""


class ShowPanel(SphinxDirective):
    """Show a panel by name."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Return the panel; an unknown one fails the build."""
        name = self.arguments[0]
        if name not in panels():
            raise self.error(f"there is no panel {name!r}; known: {', '.join(panels())}")
        return [made_panel(name=name, given={}, folded="")]


def field(own: Input, name: str, value: Any, seen: bool) -> dict[str, Any]:
    """Return what the template shows of an input.

    Parameters
    ----------
    own : Input
        The input.
    name : str
        That of its panel.
    value : object
        What the field holds.
    seen : bool
        Whether it matters, the others being as they are.

    Returns
    -------
    dict
        Text, by what it is.
    """
    low, high = own.slider if any(own.slider) else (own.low, own.high)
    wording = own.wording or own.allowed
    return {
        "own": own,
        "id": f"panel-{name}-{own.name}".replace("_", "-"),
        "value": own.written(value),
        "choices": list(zip(own.allowed, wording, strict=True)),
        "slider": {"low": f"{low:g}", "high": f"{high:.12g}", "step": f"{own.step:.12g}"}
        if own.step
        else None,
        "hidden": not seen,
        "numeric": own.kind in ("int", "float"),
    }


def markup(name: str, given: dict[str, str], files: str, heading: bool, megabytes: int) -> str:
    """Return a panel as HTML.

    Parameters
    ----------
    name : str
        Its name.
    given : dict of str to str
        What is asked in place of the defaults.
    files : str
        Address of the folder with the script, from the page; empty where the panel cannot be started.
    heading : bool
        Whether the panel names its question.
    megabytes : int
        What starting it loads, at most.

    Returns
    -------
    str
        HTML.
    """
    asked, found = panel(name), ask(name, **given)
    told = json.loads(respond(json.dumps({"panel": name, "inputs": given})))
    fields = [field(own, name, found.values[own.name], own.matters(found.values)) for own in asked.inputs]
    return TEMPLATES.get_template("panel.html").render(
        panel=asked, fields=fields, answer=answer_html(found), keep=told["keep"], files=files,
        heading=heading, megabytes=megabytes,
    )  # fmt: skip


def add_to_chapter(app: Sphinx, doctree: nodes.document) -> None:
    """Put the panel of a chapter into the section that invites to try it."""
    chapter = Path(app.env.docname).name
    if chapter not in IN_CHAPTERS or not app.env.docname.startswith("notebooks/"):
        return
    name, given = IN_CHAPTERS[chapter]
    found = [one for one in doctree.findall(nodes.section) if INVITING in one["ids"]]
    if not found:
        raise ExtensionError(f"{chapter} has no section {INVITING!r} for its panel")
    folded = "Ask about your own, here in the page"
    place = found[0].first_child_matching_class(nodes.title)
    found[0].insert((place or 0) + 1, made_panel(name=name, given=given, folded=folded))


def resolve(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """Turn every panel into HTML."""
    up = "../" * docname.count("/")
    runtime = runtime_of(app)
    files = f"{up}_static/{FOLDER}/" if runtime else ""
    megabytes = round(sum((runtime / one).stat().st_size for one in RUNTIME) / 1e6) if runtime else 0
    for node in list(doctree.findall(made_panel)):
        text = markup(node["name"], node["given"], files, bool(node["folded"]), megabytes)
        if node["folded"]:
            # A page loads its panel when a reader opens it: until then it weighs a line.
            name = f"{Path(docname).name}.html"
            if app.builder.format == "html":
                (Path(app.outdir) / "_static" / FOLDER / name).write_text(text, encoding="utf-8")
            text = FOLD.format(
                words=node["folded"],
                panel=node["name"],
                file=f"{up}_static/{FOLDER}/{name}",
                page=app.builder.get_relative_uri(docname, PAGE),
            )
        node.replace_self(nodes.raw("", text, format="html"))


def runtime_of(app: Sphinx) -> Path | None:
    """Return the folder of Pyodide, or None where it is not installed."""
    folder = Path(app.srcdir) / PYODIDE
    return folder if all((folder / name).is_file() for name in RUNTIME) else None


def package_files(package: Path) -> Iterator[tuple[str, Path]]:
    """Yield the files of the package that panels can need, with their names in the archive, in order."""
    for path in sorted(package.rglob("*")):
        parts = path.relative_to(package).parts
        if path.suffix in (".py", ".json") and parts[0] not in LEFT_OUT and "__pycache__" not in parts:
            yield f"cohort/{'/'.join(parts)}", path


def data_files(package: Path, data: Path) -> Iterator[tuple[str, Path]]:
    """Yield the data that the package's own modules name, with their names in the archive, in order."""
    sources = "\n".join(path.read_text(encoding="utf-8") for _, path in package_files(package))
    words = set(re.findall(r'"([a-z_]+)"', sources))
    for path in sorted(data.rglob("*")):
        inside = path.relative_to(data).as_posix()
        is_table = path.suffix == ".csv" and path.stem in words
        if is_table or (path.suffix == ".json" and path.parent.name == "configs"):
            yield f"cohort/data/{inside}", path


def content(path: Path) -> bytes:
    """Return what the archive holds of a file: JSON without white space, Python without docstrings."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".json":
        text = json.dumps(json.loads(text), ensure_ascii=False, separators=(",", ":"))
    elif path.suffix == ".py":
        text = without_docstrings(text)
    return text.encode()


def without_docstrings(source: str) -> str:
    """Return a module without its docstrings and comments, which nobody reads in an archive.

    Parameters
    ----------
    source : str
        Python.

    Returns
    -------
    str
        Python of the same meaning.
    """
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
            and ast.get_docstring(node) is not None
        ):
            node.body = node.body[1:] or [ast.Pass()]
    return ast.unparse(tree) + "\n"


def write_archive(target: Path, package: Path, data: Path) -> None:
    """Write the package and its data as a zip file that depends on their contents alone.

    Parameters
    ----------
    target : Path
        The file.
    package, data : Path
        Folders of both.
    """
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, path in [*package_files(package), *data_files(package, data)]:
            entry = zipfile.ZipInfo(name, EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, content(path), compresslevel=9)


def colours() -> str:
    """Return the rules that draw the classes of a drawing, for the dark theme."""
    dark = 'html[data-theme="dark"] .panel-drawing'
    rules = [f"{dark} .{kind}:not(.line) {{ fill: {in_dark(colour)}; }}" for kind, colour in COLOURS.items()]
    rules += [f"{dark} .{kind}.line {{ stroke: {in_dark(colour)}; }}" for kind, colour in COLOURS.items()]
    return "\n".join(rules) + "\n"


def write_files(app: Sphinx) -> None:
    """Put script, style, archive and Pyodide among the book's shared files."""
    if app.builder.format != "html":
        return
    folder = Path(app.outdir) / "_static" / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    for name in (SCRIPT, WORKER):
        (folder / name).write_bytes((ASSETS / name).read_bytes())
    style = (ASSETS / STYLE).read_text(encoding="utf-8")
    (folder / STYLE).write_text(style + colours(), encoding="utf-8")
    runtime = runtime_of(app)
    if runtime is not None:
        for name in RUNTIME:
            (folder / name).write_bytes((runtime / name).read_bytes())
        write_archive(folder / ARCHIVE, Path(cohort.__file__).parent, Path(data_folder()))


def load_files(app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: Any) -> None:
    """Let the pages with a panel load its style and its script."""
    if MARK in context.get("body", ""):
        app.add_css_file(f"{FOLDER}/{STYLE}")
        app.add_js_file(f"{FOLDER}/{SCRIPT}", loading_method="defer")


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the directive, and what serves its pages."""
    app.add_node(made_panel)
    app.add_directive("panel", ShowPanel)
    app.connect("builder-inited", write_files)
    app.connect("doctree-read", add_to_chapter)
    app.connect("doctree-resolved", resolve)
    app.connect("html-page-context", load_files)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
