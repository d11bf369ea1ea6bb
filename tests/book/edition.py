"""Print the chapters, the glossary and the bibliography of the built book as one PDF: ``make pdf``."""

import sys
from pathlib import Path

from browser import SITE, executable, launched, served

FRONT = "intro.html"
BACK = ("glossary.html", "bibliography.html")
EDITION = Path(__file__).resolve().parents[2] / "_build" / "a-cohort-of-models.pdf"
FOOTER = (
    '<div style="width: 100%; font-size: 8px; text-align: center; color: #555">'
    '<span class="pageNumber"></span></div>'
)
# The chapters in the order of the sidebar.
ORDER = """
() => [...new Set([...document.querySelectorAll("nav.bd-links a.internal")]
  .map((link) => link.getAttribute("href")).filter((one) => one.startsWith("notebooks/")))]
"""
# Puts the pages one behind the other. Their anchors get their page's name, so that links lead within the
# book; links to pages that are left out lose their address.
JOIN = """
async (paths) => {
  const root = new URL(".", window.location.href).href;
  const name = (path) => path.replace(/\\.html$/, "").replace(/[^\\w-]/g, "-");
  const parts = [];
  for (const path of paths) {
    const page = new DOMParser().parseFromString(await (await fetch(root + path)).text(), "text/html");
    const article = page.querySelector("article");
    article.querySelectorAll("img.in-dark, script, .figure-tools, a.headerlink, .pst-js-only")
      .forEach((one) => one.remove());
    for (const one of article.querySelectorAll("details")) {
      if (one.closest(".cell")) one.remove();
      else one.open = true;
    }
    for (const image of article.querySelectorAll("img")) {
      image.src = new URL(image.getAttribute("src"), root + path).href;
      image.loading = "eager";
    }
    for (const one of article.querySelectorAll("[id]")) one.id = `${name(path)}--${one.id}`;
    for (const link of article.querySelectorAll("a[href]")) {
      const target = new URL(link.getAttribute("href"), root + path);
      if (!target.href.startsWith(root)) continue;
      const wanted = target.href.slice(root.length).split("#")[0] || path;
      if (!paths.includes(wanted)) link.removeAttribute("href");
      else link.setAttribute("href", `#${name(wanted)}${target.hash ? `--${target.hash.slice(1)}` : ""}`);
    }
    const part = document.createElement("section");
    part.id = name(path);
    part.className = "edition-part";
    part.append(...article.childNodes);
    parts.push(part);
  }
  document.documentElement.dataset.theme = "light";
  const whole = document.createElement("article");
  whole.className = "edition bd-article";
  whole.append(...parts);
  document.body.replaceChildren(whole);
  await Promise.all([...document.images].map((image) => image.decode().catch(() => null)));
  return [...whole.querySelectorAll('a[href^="#"]')].map((link) => link.getAttribute("href").slice(1))
    .filter((anchor) => !document.getElementById(anchor));
}
"""


def main() -> None:
    """Join the pages in Chromium and print them."""
    if executable() is None:
        sys.exit("no Chromium is installed, so there is nothing to print with")
    with served(SITE) as root, launched() as browser:
        page = browser.new_page(color_scheme="light")
        page.goto(root + FRONT, wait_until="load")
        lost = page.evaluate(JOIN, [FRONT, *page.evaluate(ORDER), *BACK])
        if lost:
            sys.exit(f"these links of the edition lead nowhere: {', '.join(sorted(set(lost))[:10])}")
        page.pdf(
            path=EDITION,
            format="A4",
            margin={"top": "18mm", "bottom": "20mm", "left": "20mm", "right": "20mm"},
            display_header_footer=True,
            header_template="<span></span>",
            footer_template=FOOTER,
            outline=True,
            tagged=True,
        )
    print(f"{EDITION.name}: {EDITION.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
