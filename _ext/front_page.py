"""The directives of the front page, ``findings``, ``overview`` and ``chapters``: made from the chapters."""

import hashlib
import json
import math
import re
from io import BytesIO
from pathlib import Path
from typing import Any

from claims_ledger import read_chapters
from docutils import nodes
from docutils.statemachine import StringList
from figure_tools import FOLDER as FIGURES
from figure_tools import Drawing, tools, write
from sphinx.application import Sphinx
from wide_tables import SENTENCES, FromData

from cohort.chapters.front_page import figures, tables
from cohort.chapters.front_page.words import findings, largest_models
from cohort.display.drawn import values
from cohort.display.theme import use_theme
from cohort.runner.project import Project

FOLDER = Path("_build") / "generated"
OVERVIEW = "fig-overview"
WORDS_A_MINUTE = 230
WORD = re.compile(r"[A-Za-z]{2,}")
QUESTION = re.compile(r"[A-Z][^.?]*\?")


class FromChapters(FromData):
    """What is made from the chapters, as Markdown."""

    def parsed(self, text: str) -> list[nodes.Node]:
        """Return the nodes of some Markdown."""
        parent = nodes.container()
        self.state.nested_parse(StringList(text.splitlines(), "front page"), self.content_offset, parent)
        return parent.children


class Findings(FromChapters):
    """Say what the chapters found, each with a link."""

    def run(self) -> list[nodes.Node]:
        """Return a list of sentences."""
        self.depend()
        chapters = read_chapters(self.folder)
        found = findings({name: record for name, (_, record) in chapters.items()})
        return self.parsed(
            "\n".join(f"- {one.sentence} ({{doc}}`/notebooks/{one.chapter}`)" for one in found)
        )


class Overview(FromChapters):
    """Draw all registered models; the content is the caption."""

    has_content = True
    option_spec = {"alt": str}  # noqa: RUF012

    def run(self) -> list[nodes.Node]:
        """Return a figure."""
        self.depend()
        self.assert_has_content()
        use_theme()
        drawn, figure = BytesIO(), figures.draw_sizes(tables.sizes_by_date())
        figure.savefig(drawn, format="svg", bbox_inches="tight", metadata={"Date": None})
        drawing = Drawing(OVERVIEW, drawn.getvalue().decode(), values(figure))
        name = f"{hashlib.sha256(drawn.getvalue()).hexdigest()}.svg"
        (self.folder / FOLDER).mkdir(parents=True, exist_ok=True)
        (self.folder / FOLDER / name).write_bytes(drawn.getvalue())
        write(drawing, Path(self.env.app.outdir) / FIGURES / self.env.docname)
        image = nodes.image("", uri=f"/{(FOLDER / name).as_posix()}", alt=self.options.get("alt", ""))
        found, messages = self.state.inline_text(" ".join(self.content), self.lineno)
        caption = nodes.caption("", "", *found)
        end = tools(drawing, self.env.docname)
        return [nodes.figure("", image, caption, end, classes=["overview"], ids=[OVERVIEW]), *messages]


class Chapters(FromChapters):
    """Show the way through the book: a card for each chapter, with its question and how long it takes."""

    def run(self) -> list[nodes.Node]:
        """Return the cards of each part under its name."""
        self.depend()
        lines: list[str] = []
        titles = {name: title for name, (title, _) in read_chapters(self.folder).items()}
        number = 0
        for part in _parts(self.folder):
            lines += [f"**{part['caption']}**", "", "::::{grid} 1 1 2 2", ":gutter: 2", ""]
            for entry in part["chapters"]:
                number += 1
                path = self.folder / f"{entry['file']}.ipynb"
                lines += [*_card(f"{number}. {titles[path.stem]}", path, entry["file"]), ""]
            lines += ["::::", ""]
        return self.parsed("\n".join(lines))


def _parts(folder: Path) -> list[dict[str, Any]]:
    """Return the parts of the table of contents that hold notebooks."""
    from ruamel.yaml import YAML

    contents = YAML(typ="safe").load((folder / "_toc.yml").read_text(encoding="utf-8"))
    written = {path.stem for path in Project(folder).paths()}
    return [
        part
        for part in contents["parts"]
        if all(Path(one["file"]).stem in written for one in part["chapters"])
    ]


def _card(head: str, path: Path, document: str) -> list[str]:
    notebook = json.loads(path.read_text(encoding="utf-8"))
    _, _, opening = "".join(notebook["cells"][0]["source"]).partition("\n")
    question = " ".join(QUESTION.findall(" ".join(opening.split())))
    return [
        f":::{{grid-item-card}} {head}",
        f":link: /{document}",
        ":link-type: doc",
        "",
        question,
        "",
        f"*{minutes(notebook)} minutes*",
        ":::",
    ]


def minutes(notebook: dict[str, Any]) -> int:
    """Return how long a chapter takes to read, from the words of its prose and its sentences.

    Parameters
    ----------
    notebook : dict
        An executed notebook.

    Returns
    -------
    int
        Minutes, rounded up.
    """
    words = 0
    for cell in notebook["cells"]:
        if cell["cell_type"] == "markdown":
            words += len(WORD.findall("".join(cell["source"])))
        for output in cell.get("outputs", []):
            words += len(WORD.findall("".join(output.get("data", {}).get("text/markdown", ""))))
    return math.ceil(words / WORDS_A_MINUTE)


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the directives, and the sentence under the overview."""
    SENTENCES["sizes"] = lambda folder: largest_models(tables.sizes_by_date())
    for name, directive in (("findings", Findings), ("overview", Overview), ("chapters", Chapters)):
        app.add_directive(name, directive)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
