"""What is written only where the book's address or repository is known, in both states; and the search."""

import struct
from pathlib import Path
from xml.etree import ElementTree

import pytest
from changes_feed import bibtex, build_date, feed
from docutils import nodes
from edition import EDITION as PRINTED
from link_previews import HEIGHT, WIDTH, card, png
from native_formulas import mathml
from published_address import EDITION, address, anywhere, description, edition, shortened, sitemap, tags
from repository_links import online, theme_options
from section_search import Entry, entries
from sphinx.application import Sphinx
from term_hovers import mark, pattern

BASE = "https://book.example/cohort/"
SVG = (
    '<?xml version="1.0"?>\n<svg width="100pt" height="50pt" viewBox="0 0 100 50" '
    'xmlns="http://www.w3.org/2000/svg"><rect width="100" height="50" fill="#ff0000"/></svg>'
)
CITED = {"type": "software", "title": "A Book", "authors": [{"name": "The Authors"}]}


@pytest.mark.parametrize(
    ("configured", "variable", "found"),
    [
        ("", "", ""),
        ("", "https://a.example/b", "https://a.example/b/"),
        ("https://c.example/", "https://a.example/b", "https://c.example/"),
    ],
)
def test_the_address_of_the_book(configured: str, variable: str, found: str) -> None:
    assert address(configured, {"BOOK_URL": variable}) == found


def test_without_an_address_a_page_says_only_what_it_is() -> None:
    assert tags("Title", "About.", "a.html", "", "").split("\n") == [
        "",
        '<meta name="description" content="About." />',
    ]


def test_with_an_address_a_shared_link_has_a_preview() -> None:
    written = tags("A <b>", "About.", "notebooks/a.html", BASE, "_static/previews/a.png")
    assert f'<meta property="og:url" content="{BASE}notebooks/a.html" />' in written
    assert f'<meta property="og:image" content="{BASE}_static/previews/a.png" />' in written
    assert 'content="A &lt;b&gt;"' in written
    assert "summary_large_image" in written
    assert "og:image" not in tags("A", "", "a.html", BASE, "")


@pytest.mark.parametrize("known", [False, True])
def test_a_build_in_both_states(
    tmp_path: Path, known: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("BOOK_URL", BASE if known else "")
    (tmp_path / "index.rst").write_text("Title\n=====\n\nWhat this page is about, in a sentence.\n")
    (tmp_path / "CHANGELOG.md").write_text("# Changes\n\n## 1.0 (2026-01-02)\n\n- One.\n")
    settings = {"extensions": ["published_address", "changes_feed"], "html_theme": "basic", "project": "Book"}
    out = tmp_path / "out"
    Sphinx(tmp_path, None, out, out / ".doctrees", "html", settings, status=None, warning=None).build()
    page = (out / "index.html").read_text()
    assert 'content="What this page is about, in a sentence."' in page
    assert (f'<link rel="canonical" href="{BASE}index.html" />' in page) == known
    assert ("og:url" in page) == ("atom+xml" in page) == known
    written = [(out / name).exists() for name in ("sitemap.xml", "robots.txt", "changes.xml")]
    assert written == [known] * 3
    missing = (out / "404.html").read_text()
    assert (f'href="{BASE}search.html"' in missing) == known
    assert "There is no such page" in missing


def test_a_description_is_whole_sentences() -> None:
    long = "This is the first sentence of several. " + "And more of it follows here, on and on. " * 9
    assert len(shortened(long)) <= 200
    assert shortened(long).endswith("on and on.")
    assert shortened("word " * 60).endswith("word…")
    document = nodes.section(
        "", nodes.paragraph("", "Short."), nodes.paragraph("", "A sentence that says so.")
    )
    assert description(document) == "A sentence that says so."  # type: ignore[arg-type]
    assert description(None) == ""


def test_links_of_the_page_that_is_shown_anywhere() -> None:
    page = '<a href="intro.html"><img src="_static/a.svg"><a href="#x"><a href="https://a.example/">'
    assert anywhere(page, BASE) == (
        f'<a href="{BASE}intro.html"><img src="{BASE}_static/a.svg"><a href="#x"><a href="https://a.example/">'
    )


def test_the_edition_is_linked_where_it_is_published() -> None:
    assert PRINTED.name == EDITION
    assert f"]({BASE}{EDITION})" in edition(BASE)
    assert "make pdf" in edition("")


def test_the_list_of_pages_is_xml() -> None:
    root = ElementTree.fromstring(sitemap(["intro", "api/a"], BASE))
    assert [one.text for one in root.iter() if one.tag.endswith("loc")] == [
        f"{BASE}intro.html",
        f"{BASE}api/a.html",
    ]


def test_a_preview_has_the_size_that_services_want_and_shows_the_figure() -> None:
    first, second = (png(card("What fits, and what does not?", "Book", SVG)) for _ in range(2))
    assert first == second
    assert struct.unpack(">II", first[16:24]) == (WIDTH, HEIGHT)
    assert len(first) > len(
        png(card("What fits, and what does not?", "Book", SVG.replace("ff0000", "ffffff")))
    )
    with pytest.raises(ValueError, match="viewBox"):
        card("Title", "Book", "<svg></svg>")


def test_the_entry_to_cite_has_what_is_known() -> None:
    assert bibtex(CITED, "1.2") == (
        "@software{cohort_of_models,\n  author = {{The Authors}},\n  title = {A Book},\n  version = {1.2}\n}"
    )
    released = CITED | {
        "date-released": "2026-11-26",
        "authors": [{"family-names": "Doe", "given-names": "Jo"}, {"name": "The Authors"}],
    }
    written = bibtex(released, "1.2", BASE)
    assert "author = {Doe, Jo and {The Authors}}" in written
    assert "year = {2026}" in written
    assert f"url = {{{BASE}}}" in written


def test_the_feed_has_the_versions_with_a_date() -> None:
    changes = "# Changes\n\n## 2.0 (unreleased)\n\n- New & better.\n\n## 1.0 (2026-01-02)\n\n- First.\n"
    atom = "{http://www.w3.org/2005/Atom}"

    def dates(built: str) -> list[tuple[str | None, str | None]]:
        root = ElementTree.fromstring(feed(changes, "Book", BASE, built))
        return [
            (one.findtext(f"{atom}title"), one.findtext(f"{atom}updated"))
            for one in root.iter(f"{atom}entry")
        ]

    assert dates("") == [("1.0", "2026-01-02T00:00:00Z")]
    assert dates("2026-03-04")[0] == ("2.0", "2026-03-04T00:00:00Z")
    assert build_date({}) == ""
    assert build_date({"SOURCE_DATE_EPOCH": "86400"}) == "1970-01-02"


def test_a_chapter_opens_elsewhere_where_the_repository_is_known() -> None:
    known = {"GITHUB_REPOSITORY": "owner/book"}
    buttons = theme_options(known)
    assert buttons["use_edit_page_button"]
    assert buttons["use_issues_button"]
    assert set(buttons["launch_buttons"]) == {"binderhub_url", "colab_url", "notebook_interface"}
    assert "git+https://github.com/owner/book" in online(known)
    assert "http" not in online({})


# --- formulas


@pytest.mark.parametrize(
    ("latex", "said"),
    [
        (r"\mathrm{softmax}(x)", "<mi>softmax</mi>"),
        (r"\frac{a}{b} \ge \sqrt{c}", "<mo>≥</mo><msqrt>"),
        (r"n_\mathrm{kv}", "<msub><mi>n</mi><mi>kv</mi></msub>"),
    ],
)
def test_formulas_say_what_they_mean(latex: str, said: str) -> None:
    assert said in mathml(latex)


def test_limits_of_a_displayed_sum_stand_below() -> None:
    assert "<munder><mo>∑</mo>" in mathml(r"\sum_e p_e", displayed=True)
    assert "<msub><mo>∑</mo>" in mathml(r"\sum_e p_e")


def test_an_unknown_command_fails_the_build() -> None:
    with pytest.raises(ValueError, match=r"unknowncommand"):
        mathml(r"a + \unknowncommand")
    with pytest.raises(ValueError, match="MathML cannot say"):
        mathml(r"\begin{aligned} a &= b \\ c &= d \end{aligned}")


# --- terms


def test_the_first_use_in_a_section_is_linked() -> None:
    section = nodes.section("", nodes.title("", "Routers"), nodes.paragraph("", "Two routers, a router."))
    known = {"router": "term-router"}
    mark(section, known, "../glossary.html", pattern(list(known)))
    (link,) = section.findall(nodes.reference)
    assert (link.astext(), link["refuri"]) == ("routers", "../glossary.html#term-router")
    assert section.astext() == "Routers\n\nTwo routers, a router."
    mark(section, known, "../glossary.html", pattern(list(known)))
    assert len(list(section.findall(nodes.reference))) == 1


@pytest.mark.parametrize("text", ["a reroute", "Router-like", "gqa", "subrouters"])
def test_parts_of_words_are_no_terms(text: str) -> None:
    assert pattern(["router", "GQA"]).search(text) is None


# --- what the search knows


def test_a_section_is_found_by_itself_and_without_code() -> None:
    document = nodes.section("", nodes.title("", "Page"), nodes.paragraph("", "Top."), ids=["page"])
    inner = nodes.section("", nodes.title("", "Part"), nodes.literal_block("", "code = 1"), ids=["part"])
    inner += nodes.paragraph("", "", nodes.Text("Prose "), nodes.math("", "n_k"), nodes.Text(", said."))
    document += inner
    root = nodes.document("", "", "", document)  # type: ignore[arg-type]
    found = list(entries(root, "a.html"))
    assert [(one.title, one.address, one.text) for one in found] == [
        ("Page", "a.html", "Top."),
        ("Part", "a.html#part", "Prose nk, said."),
    ]
    assert isinstance(found[0], Entry)
