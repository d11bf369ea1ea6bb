"""Take the README's picture of the book: ``make picture``."""

import sys
from pathlib import Path

from browser import SITE, executable, launched, served

PAGE = "intro.html"
PICTURE = Path(__file__).resolve().parents[2] / ".github" / "book.png"
WIDTH, HEIGHT = 1280, 800
# Below the bar at the top of the page, and after the pictures have found their place.
SHOW_SECTION = """
async (figure) => {
  figure.querySelectorAll("img").forEach((image) => { image.loading = "eager"; });
  const top = figure.getBoundingClientRect().top;
  window.scrollTo({top: window.scrollY + top - 90, behavior: "instant"});
  await new Promise((done) => setTimeout(done, 1000));
}
"""


def main() -> None:
    """Photograph the section of the front page that holds its figure."""
    if executable() is None:
        sys.exit("no Chromium is installed, so there is nothing to take the picture with")
    with served(SITE) as root, launched() as browser:
        page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT}, color_scheme="light")
        page.goto(root + PAGE, wait_until="load")
        page.locator("article figure").first.evaluate(SHOW_SECTION)
        page.screenshot(path=PICTURE)
    print(f"{PICTURE.name}: {PICTURE.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
