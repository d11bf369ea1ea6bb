"""What a reader's browser meets on one page of the book, seen at one width and in one theme."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from axe_playwright_python.base import AXE_SCRIPT
from browser import SITE
from playwright.sync_api import Browser, BrowserContext, Page


@dataclass(frozen=True)
class View:
    """A window size and a colour scheme."""

    name: str
    width: int
    height: int
    scheme: str


LIGHT = View("light", 1280, 900, "light")
DARK = View("dark", 1280, 900, "dark")
PHONE = View("phone", 390, 844, "light")
VIEWS = (LIGHT, DARK, PHONE)


# Pages of these folders are made alike: a phone loads one of each, and the others are made as narrow as it.
ALIKE = {
    "notebooks": "attention_memory.html",
    "api": "architecture.html",
    "api/chapters": "expert_tradeoffs.html",
}


def is_loaded_by_a_phone(path: str) -> bool:
    """Whether a phone loads a page of its own: always where a script looks at the width when a page loads."""
    folder, _, name = path.rpartition("/")
    return ALIKE.get(folder, name) == name or "wide_tables/" in (SITE / path).read_text("utf-8")


@dataclass
class Visit:
    """Everything observed while one page loaded, and on it afterwards."""

    loads: bool = False  # whether the page was loaded for it, rather than looked at again
    errors: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    statuses: dict[str, int] = field(default_factory=dict)
    observed: dict[str, Any] = field(default_factory=dict)
    violations: list[str] = field(default_factory=list)


# Reads the page once the images that a reader would scroll to have come. Raw markup is looked for in running
# text only, where no code, no formula and no address of a link can be taken for it.
OBSERVE = r"""
async () => {
  const seen = [...document.images].filter((image) => image.offsetParent);
  seen.forEach((image) => { image.loading = "eager"; });
  await Promise.all(seen.map((image) => image.decode().catch(() => null)));
  const main = document.querySelector("article") || document.querySelector("main");
  const box = (table) => {
    for (let node = table; node !== main && node; node = node.parentElement) {
      if (["auto", "scroll"].includes(getComputedStyle(node).overflowX)) return node;
    }
    return table;
  };
  const open = (one) => one.checkVisibility({contentVisibilityAuto: true, visibilityProperty: true});
  const tables = [...main.querySelectorAll("table")].filter(open).map((table) => {
    const own = box(table);
    return {
      right: Math.round(own.getBoundingClientRect().right),
      scrolls: own.scrollWidth > own.clientWidth + 1,
      start: table.innerText.slice(0, 60),
    };
  });
  const running = "p, li, dd, dt:not(.sig), td, th, h1, h2, h3, h4, caption, figcaption";
  const notText = "pre, code, script, style, math, table, .sig";
  const blocks = [...main.querySelectorAll(running)];
  const texts = blocks.map((block) => {
    const copy = block.cloneNode(true);
    copy.querySelectorAll(notText).forEach((one) => one.remove());
    return copy.textContent;
  });
  const height = (selector) => [...main.querySelectorAll(selector)].filter(open)
    .reduce((sum, one) => sum + one.getBoundingClientRect().height, 0);
  // What a reader meets next: code that is folded is passed over.
  const steps = [...main.querySelectorAll("h2, h3, figure, table, p, li")].filter(open);
  const unspoken = [...main.querySelectorAll(".cell_output figure")].filter(open).filter((figure) => {
    const next = steps.find((one) => !figure.contains(one)
      && figure.compareDocumentPosition(one) & Node.DOCUMENT_POSITION_FOLLOWING);
    return !next || !["P", "LI"].includes(next.tagName) || next.textContent.trim().length < 20;
  }).map((figure) => figure.id);
  const cut = [...main.querySelectorAll("pre")].filter(open)
    .filter((one) => one.scrollWidth > one.clientWidth + 1).map((one) => one.textContent.slice(0, 60));
  const brief = [...main.querySelectorAll("h2")].find((one) => one.textContent.startsWith("In brief"));
  return {
    briefTop: brief ? Math.round(brief.getBoundingClientRect().top + window.scrollY) : null,
    height: main.getBoundingClientRect().height,
    figuresHeight: height(".cell_output figure"),  // with their captions
    tablesHeight: height("table.dataframe"),
    dataTables: main.querySelectorAll("table.dataframe").length,  // folded ones too
    openCode: height(".cell_input pre"),
    unspoken: unspoken,
    cutCode: cut,
    widest: Math.max(0, ...[...main.querySelectorAll(".cell_output figure img")].filter(open).map(
      (one) => one.getBoundingClientRect().width / one.closest(".cell").getBoundingClientRect().width)),
    scrollWidth: document.documentElement.scrollWidth,
    innerWidth: window.innerWidth,
    theme: document.documentElement.dataset.theme,
    tables: tables,
    texts: texts,
    images: [...document.images].map((image) => ({
      source: image.getAttribute("src"),
      alt: image.getAttribute("alt"),
      shown: !image.offsetParent || image.naturalWidth > 0,
    })),
    formulas: document.querySelectorAll(".math").length,
    typeset: [...document.querySelectorAll(".math > math")].filter((one) => !open(one)
      || one.getBoundingClientRect().width > 0).length,
    formulaErrors: document.querySelectorAll("math merror").length,
  };
}
"""

# Audits the page, or only what a selector chooses. Transitions are ended first: a colour on its way from one
# theme to the other belongs to neither.
#
# Nine tenths of an audit is the contrast of each text with what is behind it, and of each link with the text
# around it. It is decided by how the text is styled and by what is painted behind it: by each element up to
# the root that has a ground, lets one through or lies in a layer of its own. So of the texts that are alike
# in this the first is audited. A link counts where the text around it is more than a link: of those that are
# alike, with all around them up to their block, and have text on the same sides, the one with most text
# around it is audited. All other rules see every element, and with `every` so do these two.
#
# `known` names styles that were measured on other pages: a text or a link of one of them is passed over too.
# Returned with the findings are the styles that were measured now, but for those that could not be decided.
#
# With `colours`, only the rules that look at colours run: a page differs in nothing else between its themes.
# A text that could not be measured because another element covers it is covered in the other theme too.
# A rule that can find nothing serious, or nothing for sure, is not run, but for `every`.
#
# Of the rest, most is notes that are made of every element. Those that nobody reads are not made, but for
# `every`: what lies behind a text is sought among the elements that lie where it lies; rules on attributes of
# accessibility pass over elements of running text that have none, and the rule on boxes that scroll over
# those that hold all that is in them.
AUDIT = """
async ({selector = null, every = false, colours = false, known = []}) => {
  const still = document.createElement("style");
  still.textContent = "*, *::before, *::after { transition: none !important; animation: none !important; }";
  document.head.append(still);
  // The sidebar stands where it was on the page before: at its top more of it is seen, and can be measured.
  document.querySelectorAll("#pst-primary-sidebar").forEach((one) => { one.scrollTop = 0; });
  for (const mark of ["data-audited", "data-audited-link", "data-told", "data-scrolls"]) {
    document.querySelectorAll(`[${mark}]`).forEach((one) => one.removeAttribute(mark));
  }
  await new Promise((next) => requestAnimationFrame(() => requestAnimationFrame(next)));

  const plain = {backgroundColor: "rgba(0, 0, 0, 0)", backgroundImage: "none", opacity: "1", filter: "none",
    mixBlendMode: "normal", position: "static", zIndex: "auto", visibility: "visible", clipPath: "none"};
  const nothing = Object.values(plain);
  const written = ["color", "fontSize", "fontWeight", "textShadow", "textDecorationLine"];
  const number = (text) => {  // the same for the same text on every page
    let one = 0xdeadbeef, other = 0x41c6ce57;
    for (let place = 0; place < text.length; place++) {
      one = Math.imul(one ^ text.charCodeAt(place), 2654435761);
      other = Math.imul(other ^ text.charCodeAt(place), 1597334677);
    }
    return 4294967296 * (2097151 & (other ^ other >>> 15)) + (one >>> 0);
  };
  const grounds = new Map([[null, 0]]), styles = new Map(), numbers = new Map();
  const numbered = (parts) => {
    const key = parts.join("|");
    if (!numbers.has(key)) numbers.set(key, number(key));
    return numbers.get(key);
  };
  const ground = (element) => {  // what paints nothing adds nothing
    if (!grounds.has(element)) {
      const own = getComputedStyle(element), behind = ground(element.parentElement);
      const shown = Object.keys(plain).map((name) => own[name]);
      const paints = shown.some((value, place) => value !== nothing[place]);
      grounds.set(element, paints ? numbered([behind, ...shown]) : behind);
    }
    return grounds.get(element);
  };
  const style = (element) => {
    if (!styles.has(element)) {
      const own = getComputedStyle(element);
      styles.set(element, numbered([ground(element), ...written.map((name) => own[name])]));
    }
    return styles.get(element);
  };
  const hasText = (element) =>
    [...element.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.data.trim());
  const seen = new Set(known), measured = new Map();
  const roots = selector ? [...document.querySelectorAll(selector)] : [document.body];
  for (const element of roots.flatMap((root) => [root, ...root.querySelectorAll("*")])) {
    if (!hasText(element) || !element.getClientRects().length) continue;
    if (!every && (seen.has(style(element)) || colours && "covered" in element.dataset)) continue;
    element.dataset.audited = "";
    seen.add(style(element));
    measured.set(element, [style(element)]);
  }
  const length = (elements) => elements.reduce((sum, one) => sum + one.textContent.trim().length, 0);
  const rooms = new Map();
  const around = (link) => {  // the elements about it, up to its block
    const found = [link.parentElement];
    while (found.at(-1).parentElement && getComputedStyle(found.at(-1)).display.startsWith("inline")) {
      found.push(found.at(-1).parentElement);
    }
    return found;
  };
  const room = (link) => {  // by how much the text of a block outweighs its links
    const block = around(link).at(-1);
    if (!rooms.has(block)) rooms.set(block, length([block]) - 2 * length([...block.querySelectorAll("a")]));
    return rooms.get(block);
  };
  const sides = (link) => [link.previousSibling, link.nextSibling].map((one) =>
    Boolean(one && one.nodeType === Node.TEXT_NODE && one.data.trim()));
  const most = new Map();
  for (const link of document.querySelectorAll("a[href]")) {
    if (!link.getClientRects().length) continue;
    const alike = every ? most.size : numbered([...[link, ...around(link)].map(style), ...sides(link)]);
    if (!every && seen.has(alike)) continue;
    if (!most.has(alike) || room(link) > room(most.get(alike))) most.set(alike, link);
  }
  most.forEach((link, alike) => {
    link.dataset.auditedLink = "";
    if (room(link) > 0) measured.set(link, [...(measured.get(link) || []), alike]);
  });
  if (colours && !measured.size) return {found: [], measured: []};
  const boxes = (element) => {  // its own, and that of what stands out of it
    const content = document.createRange();
    content.selectNodeContents(element);
    return [element, content].map((one) => one.getBoundingClientRect());
  };
  const looked = [...measured.keys(), ...[...most.values()].flatMap((link) => [link, ...around(link)])];
  const places = looked.flatMap(boxes), near = new Set();
  for (const element of document.body.querySelectorAll("*")) {
    const own = element.getBoundingClientRect();
    if (!places.some((one) => own.left <= one.right && one.left <= own.right
      && own.top <= one.bottom && one.top <= own.bottom)) continue;
    for (let one = element; one && !near.has(one); one = one.parentElement) near.add(one);
  }
  if (!every) document.createTreeWalker = (root, kinds) =>
    Document.prototype.createTreeWalker.call(document, root, kinds, (element) =>
      near.has(element) ? NodeFilter.FILTER_ACCEPT : NodeFilter.FILTER_SKIP);
  const bare = new Set(("SPAN A P EM STRONG CODE PRE LI UL OL DL DT DD DIV TD TH TR TBODY "
    + "math mrow mi mn mo").split(" "));
  for (const element of document.querySelectorAll("*")) {
    const told = element.getAttributeNames()
      .some((name) => name.startsWith("aria-") || ["role", "autocomplete"].includes(name));
    if (every || told || !bare.has(element.tagName)) element.dataset.told = "";
    const scrolls = element.scrollWidth > element.clientWidth || element.scrollHeight > element.clientHeight;
    if (every || scrolls) element.dataset.scrolls = "";
  }
  const ofTold = ["aria-allowed-attr", "aria-conditional-attr", "aria-prohibited-attr", "aria-valid-attr",
    "aria-valid-attr-value", "autocomplete-valid", "label-content-name-mismatch", "nested-interactive"];
  axe.configure({rules: [
    {id: "color-contrast", selector: "[data-audited]"},
    {id: "link-in-text-block", selector: "[data-audited-link]"},
    {id: "scrollable-region-focusable", selector: "[data-scrolls]:not(select, textarea)"},
    ...ofTold.map((id) => ({id, selector: "[data-told]"})),
  ]});
  const grave = ["serious", "critical"], hues = ["color-contrast", "link-in-text-block"];
  const covered = ["elmPartiallyObscured", "elmPartiallyObscuring", "bgOverlap"];
  const idle = every ? [] : axe._audit.rules.filter((one) => colours ? !hues.includes(one.id)
    : one.reviewOnFail || !grave.includes(one.impact));
  const {violations, incomplete} = await axe.run(selector || document, {
    rules: Object.fromEntries(idle.map((one) => [one.id, {enabled: false}])),
    resultTypes: ["violations", "incomplete"], preload: false, selectors: false, elementRef: true,
  });
  delete document.createTreeWalker;
  for (const one of incomplete) {
    if (!hues.includes(one.id)) continue;
    for (const node of one.nodes) {
      measured.delete(node.element);
      const why = node.any.map((check) => check.data && check.data.messageKey);
      if (why.some((one) => covered.includes(one))) node.element.dataset.covered = "";
    }
  }
  const found = violations.filter((one) => grave.includes(one.impact)).flatMap(
    (one) => one.nodes.map((node) => `${one.id} (${one.impact}): ${node.html.slice(0, 200)}`));
  return {found, measured: [...measured.values()].flat()};
}
"""


class Measured(set[int]):
    """Styles of texts and links that were measured on some page, by this worker or by another."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path
        self._read = 0

    def look(self) -> None:
        """Take over what was noted since the last look: whole lines, since another may be writing."""
        if not self._path.exists():
            return
        with self._path.open("rb") as file:
            file.seek(self._read)
            lines, end, _ = file.read().rpartition(b"\n")
        self._read += len(lines) + len(end)
        super().update(map(int, lines.split()))

    def update(self, *others: Iterable[int]) -> None:
        """Add styles, and note them for all workers."""
        super().update(*others)
        with self._path.open("a", encoding="ascii") as file:
            file.writelines(f"{' '.join(map(str, one))}\n" for one in others)


class Visitor:
    """Visits pages, each once per view; one browser context serves each view."""

    def __init__(self, browser: Browser, root: str, known: Measured, every: bool = False) -> None:
        self._browser = browser
        self.root = root
        self.every = every  # whether the contrast of every text is audited
        self._contexts: dict[View, BrowserContext] = {}
        self._tabs: dict[tuple[View, str, bool], Page] = {}
        self.known = known
        self._visits: dict[tuple[str, View], Visit] = {}

    def page(self, view: View) -> Page:
        """A new page of the view's context."""
        if view not in self._contexts:
            self._contexts[view] = self._browser.new_context(
                viewport={"width": view.width, "height": view.height}, color_scheme=view.scheme
            )
        return self._contexts[view].new_page()

    def _page_without_scripts(self, view: View) -> Page:
        """A new page of a browser that runs no JavaScript."""
        return self._browser.new_page(
            viewport={"width": view.width, "height": view.height}, java_script_enabled=False
        )

    def page_with_touch(self, view: View) -> Page:
        """A new page of a browser with a touch screen; closing its context closes it."""
        size = {"width": view.width, "height": view.height}
        context = self._browser.new_context(viewport=size, has_touch=True, is_mobile=True)  # type: ignore[arg-type]
        return context.new_page()

    def visit(self, path: str, view: View) -> Visit:
        """The visit of a page, made now or earlier."""
        if (path, view) not in self._visits:
            alone = self.every or is_loaded_by_a_phone(path)
            views = ((PHONE,) if view is PHONE else (LIGHT, DARK)) if alone else VIEWS
            self._visits.update({(path, seen): visit for seen, visit in self._look(path, views)})
        return self._visits[path, view]

    def _look(self, path: str, views: tuple[View, ...]) -> Iterator[tuple[View, Visit]]:
        """Load a page once, and look at it in each view, one after the other."""
        visit = Visit(loads=True)
        heard = {
            "console": lambda message: message.type == "error" and visit.errors.append(message.text),
            "pageerror": lambda error: visit.errors.append(str(error)),
            "request": lambda request: visit.requests.append(request.url),
            "response": lambda response: visit.statuses.update({response.url: response.status}),
        }
        with self.tab(views[0], "visits") as page:
            for event, listener in heard.items():
                page.on(event, listener)  # type: ignore[call-overload]
            page.goto(self.root + path, wait_until="load")
            for view in views:
                self._turn(page, view)
                visit.observed = page.evaluate(OBSERVE)
                if view is not PHONE:
                    colours = view is DARK and not self.every
                    visit.violations = self.audit(page, colours=colours, known=self.known)
                yield view, visit
                visit = Visit(requests=list(visit.requests), statuses=dict(visit.statuses))
            for event, listener in heard.items():
                page.remove_listener(event, listener)
            self._turn(page, views[0])

    def _turn(self, page: Page, view: View) -> None:
        """Show a page in a view: its theme as the button does. How a page begins has a test of its own."""
        page.evaluate("theme => { document.documentElement.dataset.theme = theme; }", view.scheme)
        size = {"width": view.width, "height": view.height}
        if page.viewport_size != size:
            page.set_viewport_size(size)  # type: ignore[arg-type]
            page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")

    @contextmanager
    def standing(self, path: str) -> Iterator[Page]:
        """A page where its visit left it: for those who ask nothing of how it loads, and only open it."""
        self.visit(path, LIGHT)
        with self.tab(LIGHT, "visits") as page:
            if page.url != self.root + path:
                page.goto(self.root + path, wait_until="load")
            yield page

    @contextmanager
    def tab(self, view: View, purpose: str = "tests", scripts: bool = True) -> Iterator[Page]:
        """A tab that is kept for one page after the other: a new one costs more than a page that it loads.

        It is for those who leave no more behind than the next page takes away.
        """
        key = (view, purpose, scripts)
        page = self._tabs.pop(key, None) or (self.page(view) if scripts else self._page_without_scripts(view))
        page.bring_to_front()  # behind another tab of its window it would be drawn once a second
        try:
            yield page
        except BaseException:
            page.close()
            raise
        self._tabs[key] = page

    def audit(
        self, page: Page, selector: str | None = None, colours: bool = False, known: set[int] | None = None
    ) -> list[str]:
        """What is not accessible on a page, or in what a selector chooses; with `colours`, by its colours.

        Texts and links of styles that are `known` are not measured again; those measured are added.
        """
        if not page.evaluate("'axe' in window"):
            page.evaluate(AXE_SCRIPT)
        if isinstance(known, Measured):
            known.look()
        options = {"selector": selector, "every": self.every, "colours": colours, "known": list(known or ())}
        audited = page.evaluate(AUDIT, options)
        if known is not None:
            known.update(audited["measured"])
        found: list[str] = audited["found"]
        return found
