// Lets readers search the wide tables of a page, sort them and choose their columns.
// The controls are the browser's own, so that keyboards and screen readers know them.
(() => {
  "use strict";

  const element = (tag, properties = {}, ...children) => {
    const made = Object.assign(document.createElement(tag), properties);
    made.append(...children);
    return made;
  };

  const places = (text) => (text || "").split(" ").filter(Boolean).map(Number);

  // What a cell is sorted by; empty sorts last, whatever the order.
  const key = (cell) => (cell.dataset.order ?? cell.textContent).trim();
  const compare = {
    number: (one, other) => Number(one.replaceAll(",", "")) - Number(other.replaceAll(",", "")),
    text: (one, other) => one.localeCompare(other, "en", { numeric: true }),
  };

  class WideTable {
    constructor(table) {
      this.body = table.tBodies[0];
      this.headRow = table.tHead.rows[0];
      this.heads = [...this.headRow.cells];
      this.names = this.heads.map((head) => head.textContent.trim());
      // Rows in the order of the page, with all their cells.
      this.rows = [...this.body.rows].map((row) => ({ row, cells: [...row.cells], text: row.textContent.toLowerCase() }));
      const narrow = window.matchMedia("(max-width: 600px)").matches && table.dataset.phone;
      const kept = [0, ...places(table.dataset.phone)];
      const hidden = places(table.dataset.hidden);
      this.shown = this.heads.map((_, place) => (narrow ? kept.includes(place) : !hidden.includes(place)));
      this.sorted = { place: null, order: "" };
      this.words = [];
      this.heads.forEach((head, place) => this.makeSortable(head, place));
      this.count = element("output", { className: "wide-count" });
      this.drawColumns();
      this.drawRows();
    }

    makeSortable(head, place) {
      const button = element("button", { type: "button", className: "wide-sort" }, ...head.childNodes);
      head.replaceChildren(button);
      const orders = head.classList.contains("number") ? ["descending", "ascending", ""] : ["ascending", "descending", ""];
      head.addEventListener("click", () => {
        const now = this.sorted.place === place ? orders.indexOf(this.sorted.order) : 2;
        this.sorted = { place, order: orders[(now + 1) % 3] };
        this.heads.forEach((one) => one.removeAttribute("aria-sort"));
        if (this.sorted.order) head.setAttribute("aria-sort", this.sorted.order);
        this.drawRows();
      });
    }

    ordered() {
      const { place, order } = this.sorted;
      if (!order) return this.rows;
      const by = this.heads[place].classList.contains("number") ? compare.number : compare.text;
      const sign = order === "ascending" ? 1 : -1;
      return [...this.rows].sort((one, other) => {
        const [a, b] = [key(one.cells[place]), key(other.cells[place])];
        return !a || !b ? !a - !b : sign * by(a, b);
      });
    }

    drawRows() {
      const found = this.ordered().filter(({ text }) => this.words.every((word) => text.includes(word)));
      this.body.replaceChildren(...found.map(({ row }) => row));
      if (!found.length) {
        const none = element("td", { colSpan: this.heads.length, textContent: "No row has all of these words." });
        this.body.append(element("tr", {}, none));
      }
      const all = this.rows.length;
      this.count.textContent = found.length === all ? `${all} rows` : `${found.length} of ${all} rows`;
    }

    drawColumns() {
      const visible = (cells) => cells.filter((_, place) => this.shown[place]);
      this.headRow.replaceChildren(...visible(this.heads));
      for (const { row, cells } of this.rows) row.replaceChildren(...visible(cells));
    }

    searchField() {
      const field = element("input", { type: "search" });
      field.addEventListener("input", () => {
        this.words = field.value.toLowerCase().split(/\s+/).filter(Boolean);
        this.drawRows();
      });
      return element("label", { className: "wide-search" }, "Search the table ", field);
    }

    columnBox(name, place) {
      const box = element("input", { type: "checkbox", checked: this.shown[place] });
      box.addEventListener("change", () => {
        this.shown[place] = box.checked;
        this.drawColumns();
      });
      return element("label", {}, box, ` ${name}`);
    }

    // The first column names the rows and always stays.
    columnChoice() {
      const boxes = this.names.slice(1).map((name, place) => this.columnBox(name, place + 1));
      const legend = element("legend", { className: "wide-unseen", textContent: "Columns to show" });
      return element(
        "details",
        { className: "wide-columns" },
        element("summary", { textContent: "Columns" }),
        element("fieldset", {}, legend, ...boxes),
      );
    }

    controls() {
      return element("div", { className: "wide-controls" }, this.searchField(), this.columnChoice(), this.count);
    }
  }

  for (const table of document.querySelectorAll("table.wide")) {
    const box = table.closest(".wide-box");
    const controls = new WideTable(table).controls();
    controls.setAttribute("role", "group");
    controls.setAttribute("aria-labelledby", box.getAttribute("aria-labelledby"));
    box.before(controls);
  }
})();
