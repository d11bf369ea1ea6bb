"""The directive ``data-dictionary``: every table of a data package, written from its descriptor."""

import json
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

# Heads of the dictionary's columns with their widths; the unit is left out where a table has none.
HEADS = {"Column": 18, "Type": 10, "Unit": 12, "Meaning": 35, "Constraints": 25}

Field = dict[str, Any]
Resource = dict[str, Any]


def as_list(value: Any) -> list[Any]:
    """Return a descriptor's value that may be absent, single or a list, as a list."""
    if value is None:
        return []
    return list(value) if isinstance(value, list) else [value]


def constraint_words(name: str, value: Any) -> str:
    """Return one constraint of a field in words, as Markdown.

    Parameters
    ----------
    name, value
        A Frictionless constraint, such as ``"minimum"`` and ``0``.

    Returns
    -------
    str
        For instance ``"at least `0`"``; empty where the constraint is switched off.
    """
    if value is False:
        return ""
    if name == "enum":
        return "one of " + ", ".join(f"`{item}`" for item in value)
    words = {
        "minimum": "at least",
        "maximum": "at most",
        "exclusiveMinimum": "above",
        "exclusiveMaximum": "below",
        "minLength": "length at least",
        "maxLength": "length at most",
        "pattern": "matches",
    }
    return f"{words[name]} `{value}`" if name in words else name


def foreign_keys(schema: dict[str, Any]) -> dict[str, str]:
    """Return the column that each referring column refers to, as ``table.column``."""
    targets = {}
    for key in schema.get("foreignKeys", []):
        reference = key["reference"]
        table = reference.get("resource", "")
        for field, target in zip(as_list(key["fields"]), as_list(reference["fields"]), strict=True):
            targets[field] = f"{table}.{target}" if table else target
    return targets


def constraints(field: Field, schema: dict[str, Any]) -> str:
    """Return everything a column must satisfy, as Markdown."""
    given = dict(field.get("constraints", {}))
    words = []
    if field["name"] in as_list(schema.get("primaryKey")):
        words.append("key")
        given.pop("required", None)  # a key always is
    words += [constraint_words(name, value) for name, value in given.items()]
    if field["name"] in foreign_keys(schema):
        words.append(f"refers to `{foreign_keys(schema)[field['name']]}`")
    return "; ".join(word for word in words if word)


def row(cells: list[list[nodes.Node]]) -> nodes.row:
    """Return one row of a table."""
    entries = [nodes.entry("", nodes.paragraph("", "", *cell)) for cell in cells]
    return nodes.row("", *entries)


def table(body: list[dict[str, list[nodes.Node]]]) -> nodes.table:
    """Return a table of columns, each given as its cells by head."""
    heads = [head for head in HEADS if head != "Unit" or any(cells["Unit"] for cells in body)]
    widths = [nodes.colspec(colwidth=HEADS[head]) for head in heads]
    top = nodes.thead("", row([[nodes.Text(head)] for head in heads]))
    rest = nodes.tbody("", *[row([cells[head] for head in heads]) for cells in body])
    return nodes.table("", nodes.tgroup("", *widths, top, rest, cols=len(heads)))


def folded(summary: str, inside: nodes.Node) -> list[nodes.Node]:
    """Return what opens when its summary is chosen."""
    start = f'<details class="columns"><summary>{summary}</summary>'
    return [nodes.raw("", start, format="html"), inside, nodes.raw("", "</details>", format="html")]


def contents(sections: list[nodes.section]) -> nodes.paragraph:
    """Return links to the tables, in one paragraph."""
    links: list[nodes.Node] = []
    for section in sections:
        links += [nodes.Text(" · ")] * bool(links)
        links.append(nodes.reference("", section[0].astext(), refid=section["ids"][0], internal=True))
    return nodes.paragraph("", "", *links)


class DataDictionary(SphinxDirective):
    """Describe each table of the data package at the path given as argument."""

    required_arguments = 1
    has_content = False

    def run(self) -> list[nodes.Node]:
        """Return one section per table."""
        relative, absolute = self.env.relfn2path(self.arguments[0])
        self.env.note_dependency(relative)
        path = Path(absolute)
        if not path.is_file():
            raise self.error(f"there is no data package at {relative}")
        package = json.loads(path.read_text(encoding="utf-8"))
        folder = "/" + str(Path(relative).parent)
        sections = [self.section(resource, package, folder) for resource in package["resources"]]
        return [contents(sections), *sections]

    def prose(self, text: str) -> list[nodes.Node]:
        """Return text with inline Markdown as nodes."""
        found, messages = self.state.inline_text(text, self.lineno)
        return [*found, *messages]

    def section(self, resource: Resource, package: dict[str, Any], folder: str) -> nodes.section:
        """Return title, description, files, licence and columns of one table."""
        name = resource["name"]
        section = nodes.section("", ids=[nodes.make_id(f"table-{name}")], names=[f"table-{name}"])
        section += nodes.title("", str(resource.get("title", name)))
        if "description" in resource:
            section += nodes.paragraph("", "", *self.prose(resource["description"]))
        section += nodes.paragraph("", "", *self.origin(resource, package, folder))
        schema = resource.get("schema", {})
        if columns := [self.column(field, schema) for field in schema.get("fields", [])]:
            section += folded(f"{len(columns)} columns", table(columns))
        return section

    def origin(self, resource: Resource, package: dict[str, Any], folder: str) -> list[nodes.Node]:
        """Say where a table's files are and under which licence they stand."""
        words: list[nodes.Node] = []
        for number, file in enumerate(as_list(resource.get("path"))):
            words.append(nodes.Text(", " if number else "File: "))
            words.append(self.download(folder, str(file), str(file)))
        for number, licence in enumerate(resource.get("licenses") or package.get("licenses", [])):
            words.append(nodes.Text(", " if number else ". Licence: "))
            words.append(self.licence(licence, folder))
        return [*words, nodes.Text(".")]

    def download(self, folder: str, file: str, text: str) -> nodes.Node:
        """Return a download link to one file of the package; a pattern of names is only named."""
        if "*" in file:
            return nodes.literal("", text)
        target = f"{folder}/{file}"
        link = addnodes.download_reference(refdoc=self.env.docname, reftarget=target, reftype="download")
        link += nodes.inline("", text)
        return link

    def licence(self, licence: dict[str, str], folder: str) -> nodes.Node:
        """Return a licence by its title, linked to its address or offered as the file it is in."""
        title, path = licence.get("title") or licence["name"], licence.get("path", "")
        if "://" in path:
            return nodes.reference("", title, refuri=path)
        return self.download(folder, path, title) if path else nodes.Text(title)

    def column(self, field: Field, schema: dict[str, Any]) -> dict[str, list[nodes.Node]]:
        """Describe one column of a table: the dictionary's cells by head."""
        return {
            "Column": [nodes.literal("", field["name"])],
            "Type": [nodes.Text(field.get("type", "any"))],
            "Unit": [nodes.Text(field["unit"])] if "unit" in field else [],
            "Meaning": self.prose(field.get("description") or field.get("title", "")),
            "Constraints": self.prose(constraints(field, schema)),
        }


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the directive."""
    app.add_directive("data-dictionary", DataDictionary)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
