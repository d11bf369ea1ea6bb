"""Show commands and code with the output that they have when the book is built.

All sessions of a page share one folder, made afresh as the page is read. What ends otherwise than the page
says is a warning, and so fails the build. Durations differ from run to run; a line is printed in their place.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import ClassVar

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from cohort.runner.notebook.document import read_notebook

FOLDER = "_build/sessions"
LIMIT_S = 300
DURATION = re.compile(r"( ?) *\d+\.\d s\b")  # and the space before it, of which a long one takes more


def folder(directive: SphinxDirective) -> Path:
    """Return the folder of the page's sessions."""
    made = Path(directive.env.srcdir) / FOLDER / directive.env.docname
    if "sessions" not in directive.env.temp_data:
        shutil.rmtree(made, ignore_errors=True)
        made.mkdir(parents=True)
        directive.env.temp_data["sessions"] = True
    return made


def output(command: list[str], where: Path) -> tuple[int, str]:
    """Run a command and return its exit status and all that it prints."""
    found = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
    done = subprocess.run(
        command,
        cwd=where,
        env={**os.environ, "PATH": found, "PYTHONWARNINGS": "ignore"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=LIMIT_S,
        check=False,
    )
    return done.returncode, done.stdout.decode()


class Session(SphinxDirective):
    """Shell commands, one a line, or with the argument `python` a program; each with its output."""

    has_content = True
    optional_arguments = 1
    option_spec: ClassVar = {"status": directives.nonnegative_int, "files": directives.unchanged}

    def run(self) -> list[nodes.Node]:
        """Run them in turn, beside copies of the files of the book that the option names."""
        for name in self.options.get("files", "").split():
            self.env.note_dependency(name)
            shutil.copy(Path(self.env.srcdir) / name, folder(self))
        if self.arguments == ["python"]:
            program = "\n".join(self.content)
            return [
                self.block(program, "python"),
                self.block(self.output_of([sys.executable, "-c", program]), "text"),
            ]
        lines = []
        for command in self.content:
            lines += [f"$ {command}", self.output_of(["sh", "-c", command])]
        return [self.block("\n".join(line for line in lines if line), "console")]

    def output_of(self, command: list[str]) -> str:
        """Return what a command prints, without durations; it has to end with the status that is stated."""
        status, said = output(command, folder(self))
        if status != self.options.get("status", 0):
            raise self.error(f"{command[-1]!r} ended with status {status}: {said}")
        return DURATION.sub(r"\1…", said).rstrip()

    def block(self, text: str, language: str) -> nodes.literal_block:
        """Return a block of code or output."""
        block = nodes.literal_block(text, text, language=language)
        self.set_source_info(block)
        return block


class SideBySide(SphinxDirective):
    """The same figure of runs of a sweep: its folder and the figure, then a run and a caption a line."""

    has_content = True
    required_arguments = 2

    def run(self) -> list[nodes.Node]:
        """Take the drawings out of the executed notebooks."""
        group = nodes.container(classes=["side-by-side"])
        for line in self.content:
            run, caption = line.split(maxsplit=1)
            path, alt = self.drawing(folder(self) / self.arguments[0] / "notebooks" / f"{run}.ipynb")
            image = nodes.image(
                uri=f"/{path.relative_to(self.env.srcdir).as_posix()}", alt=f"{alt} ({caption})"
            )
            group += nodes.figure("", image, nodes.caption(caption, caption))
        return [group]

    def drawing(self, notebook: Path) -> tuple[Path, str]:
        """Write the drawing of a notebook into a file and return it with its text alternative."""
        for cell in read_notebook(notebook)["cells"]:
            described = cell["metadata"].get("mystnb", {})
            if described.get("figure", {}).get("name") == self.arguments[1]:
                svg = next(one["data"]["image/svg+xml"] for one in cell["outputs"] if "data" in one)
                path = folder(self) / f"{self.arguments[1]}-{notebook.stem}.svg"
                path.write_text(svg, encoding="utf-8")
                return path, described["image"]["alt"]
        raise self.error(f"{notebook.name} has no figure {self.arguments[1]!r}")


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the directives."""
    app.add_directive("session", Session)
    app.add_directive("side-by-side", SideBySide)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
