// Lets readers search the wide tables of a page, sort them and choose their columns.
// DataTables does the work; the controls are the browser's own, so that keyboards and screen readers know them.
(() => {
  "use strict";

  const element = (tag, properties = {}, ...children) => {
    const made = Object.assign(document.createElement(tag), properties);
    made.append(...children);
    return made;
  };

  const boxOf = (table) => {
    const found = table.closest(".wide-box");
    if (found) return found;
    const box = element("div", { className: "wide-box", tabIndex: 0 });
    box.setAttribute("role", "region");
    box.setAttribute("aria-label", "Table");
    table.replaceWith(box);
    box.append(table);
    return box;
  };

  // The first click on a column of numbers shows the largest, and a third click the order of the page.
  const started = (table, heads) => {
    const numbers = heads.flatMap((head, place) => (head.classList.contains("number") ? [place] : []));
    const places = (text) => (text || "").split(" ").filter(Boolean).map(Number);
    const narrow = window.matchMedia("(max-width: 600px)").matches && table.dataset.phone;
    const kept = [0, ...places(table.dataset.phone)];
    const hidden = narrow ? heads.map((_, place) => place).filter((place) => !kept.includes(place))
      : places(table.dataset.hidden);
    return new DataTable(table, {
      autoWidth: false,
      columnDefs: [
        { targets: numbers, orderSequence: ["desc", "asc", ""] },
        { targets: hidden, visible: false },
      ],
      info: false,
      language: { zeroRecords: "No row has all of these words." },
      layout: { topStart: null, topEnd: null, bottomStart: null, bottomEnd: null },
      order: [],
      paging: false,
    });
  };

  const searchField = (api) => {
    const field = element("input", { type: "search" });
    field.addEventListener("input", () => api.search(field.value).draw());
    return element("label", { className: "wide-search" }, "Search the table ", field);
  };

  const columnBox = (api, name, place) => {
    const box = element("input", { type: "checkbox", checked: api.column(place).visible() });
    box.addEventListener("change", () => api.column(place).visible(box.checked));
    return element("label", {}, box, ` ${name}`);
  };

  // The first column names the rows and always stays.
  const columnChoice = (api, names) => {
    const boxes = names.slice(1).map((name, place) => columnBox(api, name, place + 1));
    const legend = element("legend", { className: "wide-unseen", textContent: "Columns to show" });
    return element(
      "details",
      { className: "wide-columns" },
      element("summary", { textContent: "Columns" }),
      element("fieldset", {}, legend, ...boxes),
    );
  };

  const rowCount = (api) => {
    const count = element("output", { className: "wide-count" });
    const update = () => {
      const { recordsDisplay, recordsTotal } = api.page.info();
      count.textContent = recordsDisplay === recordsTotal ? `${recordsTotal} rows` : `${recordsDisplay} of ${recordsTotal} rows`;
    };
    api.on("draw", update);
    update();
    return count;
  };

  const enhance = (table) => {
    const box = boxOf(table);
    const heads = [...table.tHead.rows[0].cells];
    const names = heads.map((head) => head.textContent);
    const api = started(table, heads);
    const controls = element("div", { className: "wide-controls" }, searchField(api), columnChoice(api, names), rowCount(api));
    const label = box.getAttribute("aria-labelledby");
    controls.setAttribute("role", "group");
    if (label) controls.setAttribute("aria-labelledby", label);
    box.before(controls);
  };

  document.querySelectorAll("table.wide").forEach(enhance);
})();
