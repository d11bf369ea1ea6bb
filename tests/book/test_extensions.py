"""The decisions of the book's own Sphinx extensions."""

import inspect
import json
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from bibliography_roles import INVALID, correct_roles
from data_dictionary import constraint_words, constraints, foreign_keys
from docstring_attributes import expanded
from figures_in_dark import IMAGE, both, drawing_in_dark, in_dark
from inherited_sections import complete, completed, inherited
from light_pages import signs, without_scripts, without_unused
from linked_sources import name, with_names
from local_scripts import keep
from notebook_only import without
from plain_links import terms, with_roles
from pybtex.database import Person, parse_file
from repository_links import theme_options


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("required", True, "required"),
        ("unique", False, ""),
        ("minimum", 0, "at least `0`"),
        ("exclusiveMaximum", 1.5, "below `1.5`"),
        ("pattern", "[a-z]+", "matches `[a-z]+`"),
        ("enum", ["stated", "derived"], "one of `stated`, `derived`"),
    ],
)
def test_constraints_in_words(name: str, value: object, words: str) -> None:
    assert constraint_words(name, value) == words


def test_all_constraints_of_a_key_that_refers_elsewhere() -> None:
    reference = {"resource": "models", "fields": "name"}
    schema = {"primaryKey": "model", "foreignKeys": [{"fields": "model", "reference": reference}]}
    field = {"name": "model", "constraints": {"required": True, "maxLength": 9}}
    assert foreign_keys(schema) == {"model": "models.name"}
    assert constraints(field, schema) == "key; length at most `9`; refers to `models.name`"
    assert constraints({"name": "other"}, schema) == ""


def test_foreign_keys_of_unequal_length_are_refused() -> None:
    reference = {"resource": "models", "fields": ["name"]}
    with pytest.raises(ValueError, match="shorter"):
        foreign_keys({"foreignKeys": [{"fields": ["a", "b"], "reference": reference}]})


@pytest.mark.parametrize(
    ("asset", "kept"),
    [
        ("https://example.org/x.js", False),
        ("//example.org/x.js", False),
        ("sphinx-thebe.css", False),
        ("_static/book.css", True),
        (None, True),  # an inline script
    ],
)
def test_assets_of_other_hosts_are_dropped(asset: str | None, kept: bool) -> None:
    assert keep(SimpleNamespace(filename=asset)) is kept
    if asset is not None:
        assert keep(asset) is kept


def test_no_repository_no_buttons() -> None:
    assert theme_options({}) == {}
    assert theme_options({"GITHUB_REPOSITORY": ""}) == {}


def test_buttons_lead_to_the_repository_of_the_environment() -> None:
    options = theme_options({"GITHUB_REPOSITORY": "owner/book", "GITHUB_SERVER_URL": "https://git.example"})
    assert options["repository_url"] == "https://git.example/owner/book"
    assert options["launch_buttons"]["binderhub_url"].startswith("https://")


def test_attributes_described_together_get_an_entry_each() -> None:
    before = [
        "A pair.",
        "",
        "x, y : int",
        "Attributes",
        "----------",
        "a, b : int",
        "    Two.",
        "c : str",
        "    One.",
    ]
    after = ["a : int", "    Two.", "b : int", "    Two.", "c : str", "    One."]
    assert expanded(before) == [*before[:5], *after]
    assert expanded(before[:3]) == before[:3]


def test_citation_lists_lose_the_role_that_their_entries_do_not_fit() -> None:
    context = {"body": f"<p>x</p>{INVALID}<div></div></div>"}
    correct_roles(None, "bibliography", "page.html", context, None)
    assert re.findall("role=", context["body"]) == []
    assert "citation-list" in context["body"]


def test_scripts_are_left_out_by_the_names_of_their_files() -> None:
    page = (
        '<head>\n  <script defer src="../_static/scripts/fontawesome.js?digest=1"></script>\n'
        '  <script src="searchindex.js"></script>\n  <script src="my-searchindex.js"></script></head>'
    )
    without = without_scripts(page, "fontawesome", "searchindex")
    assert without == '<head>\n  <script src="my-searchindex.js"></script></head>'
    assert without_scripts(page) == page


def test_icons_that_no_page_names_leave_the_style_sheet() -> None:
    used = '.fa-b::before,.fa-c:before{content:"\\f002"}.note{content:"\uf0f3"}'
    kept = without_unused('.fa-a:before{content:"\\f001"}' + used, ["fa-c", "fa-solid"])
    assert kept == used
    assert signs(kept) == {0xF002, 0xF0F3}


@pytest.mark.parametrize(
    ("colour", "dark"),
    [
        ("#ffffff", "#121212"),  # paper
        ("#333333", "#d0d0d0"),  # ink
        ("#0173b2", "#019ef5"),  # a deep blue becomes a brighter blue
        ("#cc78bc", "#cc78bc"),  # a pink stands out on both
    ],
)
def test_a_colour_plays_its_part_in_the_dark(colour: str, dark: str) -> None:
    assert in_dark(colour) == dark
    assert drawing_in_dark(f'<path style="fill: {colour.upper()}"/>') == f'<path style="fill: {dark}"/>'


def contrast(one: str, other: str) -> float:
    """Return the contrast of two colours as the Web Content Accessibility Guidelines define it."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: str) -> float:
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (
        part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_the_letters_of_a_status_are_legible_in_both_themes() -> None:
    from cohort.chapters.the_cohort.figures import STATUS  # here, since it draws, and takes a second to load

    assert round(contrast("#ffffff", "#000000"), 6) == 21
    assert STATUS
    for _, fill, ink in STATUS.values():
        assert contrast(fill, ink) > 4.5 and contrast(in_dark(fill), in_dark(ink)) > 4.5


def test_a_figure_is_named_for_both_themes_with_its_words() -> None:
    name = "a" * 64
    page = f'<figure><img alt="Bars." class="x" src="../_images/{name}.svg" /></figure>'
    shown = IMAGE.sub(both, page)
    assert shown.count('alt="Bars."') == shown.count('loading="lazy"') == 2
    assert f'class="in-light" loading="lazy" alt="Bars." src="../_images/{name}.svg"' in shown
    assert f'class="in-dark dark-light" loading="lazy" alt="Bars." src="../_images/{name}-dark.svg"' in shown
    logo = '<img alt="Logo" src="_static/logo.svg" />'
    assert IMAGE.sub(both, logo) == logo


class Base:
    def count(self, hidden: int) -> int:
        """Return a count.

        Parameters
        ----------
        hidden : int
            Width.

        Returns
        -------
        int
            Weights.
        """
        return hidden


class Twice(Base):
    def count(self, hidden: int) -> int:
        """Return twice the count.

        Returns
        -------
        int
            Pairs.

        See Also
        --------
        Base.count
        """
        return 2 * hidden


class Renamed(Base):
    def count(self, width: int) -> int:
        """Return a count of something else."""
        return width


WHOLE = """Return twice the count.

Parameters
----------
hidden : int
    Width.

Returns
-------
int
    Pairs.

See Also
--------
Base.count
"""


def test_an_override_takes_over_the_sections_that_it_lacks() -> None:
    assert completed(inspect.cleandoc(Twice.count.__doc__ or ""), inherited(Twice, "count")) == WHOLE
    assert completed("Return it.", {}) == "Return it.\n"


@pytest.mark.parametrize(
    ("what", "method", "whole"),
    [
        ("method", Twice.count, WHOLE.splitlines()),
        ("method", Base.count, inspect.cleandoc(Base.count.__doc__ or "").splitlines()),
        ("method", Renamed.count, ["Return a count of something else."]),
        ("attribute", Renamed.count, ["Return a count of something else."]),
    ],
)
def test_pages_show_what_a_method_takes_over(what: str, method: Any, whole: list[str]) -> None:
    lines = inspect.cleandoc(method.__doc__).splitlines()
    complete(SimpleNamespace(), what, method.__qualname__, method, None, lines)  # type: ignore[arg-type]
    assert lines == whole


@pytest.mark.parametrize(
    ("authors", "called"),
    [
        ("{Meta}", "Meta, 2024"),
        ("Kwon, Woosuk", "Kwon, 2024"),
        ("Pearce, Tim and Song, Jinyeop", "Pearce and Song, 2024"),
        ("Dao, Tri and Fu, Daniel and Ermon, Stefano", "Dao et al., 2024"),
        ("van der Berg, Jan and others", "van der Berg et al., 2024"),
    ],
)
def test_a_source_is_called_as_in_the_text(authors: str, called: str) -> None:
    persons = {"author": [Person(each) for each in authors.split(" and ")]}
    assert name(SimpleNamespace(persons=persons, fields={"year": "2024"})) == called


def test_cells_of_keys_become_links_and_others_stay() -> None:
    links = {"dao2022": ("Dao et al., 2022", "../bibliography.html#id1"), "meta": ("Meta, 2024", "b#2")}
    row = "<tr><td>dao2022, meta</td><td>dao2022 says</td><td>8</td></tr><p>meta</p>"
    shown = with_names(row, links)
    assert '<a class="reference internal" href="../bibliography.html#id1">Dao et al., 2022</a>, ' in shown
    assert "<td>dao2022 says</td><td>8</td></tr><p>meta</p>" in shown


ROOT = Path(__file__).parents[2]
NAMED = re.compile(r"\[([^\[\]]+)\]\(\.\./bibliography\.md#([a-z0-9]+)\)")


def texts_with_links() -> list[Path]:
    return [*(ROOT / "notebooks").glob("*.ipynb"), *(ROOT / "src/cohort/chapters").rglob("*.py")]


def test_links_to_several_sources_are_one_citation() -> None:
    two = "([A, 2020](../bibliography.md#a2020); [B et al., 2021](../bibliography.md#b2021))"
    assert with_roles(f"So {two}, and so on.", {}) == "So {cite:p}`a2020,b2021`, and so on."


@pytest.mark.parametrize("link", ["[A, 2020](../bibliography.md#a2020)", "[x](../glossary.md#no-such-term)"])
def test_a_link_that_the_book_would_not_follow_is_refused(link: str) -> None:
    with pytest.raises(ValueError, match=r"stands in no brackets|has no term"):
        with_roles(f"See {link} there.", {"kv-cache": "KV cache"})


def test_sources_are_called_as_the_book_calls_them() -> None:
    entries = parse_file(ROOT / "references.bib").entries
    called = [
        found for path in texts_with_links() for found in NAMED.findall(path.read_text(encoding="utf-8"))
    ]
    assert called
    assert [(label, key) for label, key in called if label != name(entries[key])] == []


def test_notebooks_hold_no_raw_roles_or_directives() -> None:
    known = terms((ROOT / "glossary.md").read_text(encoding="utf-8"))
    assert len(known) > 40
    for path in (ROOT / "notebooks").glob("*.ipynb"):
        text = path.read_text(encoding="utf-8")
        assert re.findall(r"\{[a-z]+(?::[a-z]+)?\}`|```\{|:::", text) == [], path.name
        assert "](../glossary.md#" not in with_roles(text, known)


def test_pages_leave_out_the_sentences_that_speak_of_code() -> None:
    texts = [
        {"cell_type": "markdown", "metadata": {}, "source": ["Read by all."]},
        {"cell_type": "markdown", "metadata": {"tags": ["notebook-only"]}, "source": ["Computed once."]},
        {"cell_type": "code", "metadata": {"tags": ["notebook-only"]}, "source": ["kept, as code is folded"]},
    ]
    kept = json.loads(without(json.dumps({"cells": texts, "nbformat": 4})))
    assert kept == {"cells": [texts[0], texts[2]], "nbformat": 4}


def test_a_notebook_without_such_sentences_is_the_same_text() -> None:
    text = '{"cells":   [], "nbformat": 4}'
    assert without(text) is text
