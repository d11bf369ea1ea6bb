// Makes the panels of a page live: starts Python on demand, asks it, shows what it answers, keeps the state.
// Nothing is computed here: the answer comes as HTML from the book's own package.
(() => {
  "use strict";

  const NO_WASM = "This browser runs no WebAssembly, so the panel shows the example of the chapter. "
    + "The command below runs another on your machine.";
  const FAILED = "Python could not be started here, so the panel keeps what it shows. "
    + "The command below runs the chapter on your machine.";

  const LIVE = "Live: change something, and the answer follows.";
  const SEARCHES = "Live: let go of a slider or pause in a field, and a search of up to a second or so follows.";
  const SEARCHING = "Searching: the answer below is still the one to the values before.";
  const PAUSE = 300;  // ms without a change, before a search begins
  const STALE = "The answer below is still the one to the values before.";

  // Python, once for all panels of the page ------------------------------------------------------------------
  let worker = null, ready = null;
  let number = 0, named = false;
  const waiting = new Map();
  const watching = new Set();

  const python = (files) => {
    if (ready) return ready;
    ready = new Promise((resolve, reject) => {
      worker = new Worker(new URL(`${files}live_panels_worker.js`, document.baseURI), {type: "module"});
      worker.onerror = (event) => reject(new Error(event.message || "the worker did not load"));
      worker.onmessage = ({data}) => {
        if (data.loaded) watching.forEach((watch) => watch(data.loaded));
        if (data.ready) resolve();
        if (data.failed && !data.id) reject(new Error(data.failed));
        if (data.names) propose(JSON.parse(data.names));
        if (data.id) {
          const {done, failed} = waiting.get(data.id);
          waiting.delete(data.id);
          if (data.failed) failed(new Error(data.failed));
          else done(JSON.parse(data.told));
        }
      };
    });
    return ready;
  };
  const ask = (panel, inputs) => new Promise((done, failed) => {
    waiting.set(++number, {done, failed});
    worker.postMessage({id: number, text: JSON.stringify({panel, inputs})});
  });

  // The lists of names that fields propose.
  const propose = (names) => {
    for (const [kind, all] of Object.entries(names)) {
      if (!document.querySelector(`[data-names="${kind}"]`)) continue;
      const list = document.createElement("datalist");
      list.id = `panel-names-${kind}`;
      list.append(...all.map((name) => new Option(name, name)));
      document.body.append(list);
      document.querySelectorAll(`[data-names="${kind}"]`).forEach((one) => one.setAttribute("list", list.id));
      document.querySelectorAll(`[data-several="${kind}"]`).forEach((one) => proposeOneMore(one, all));
    }
  };
  // A field of several names proposes one more behind those that it holds.
  const proposeOneMore = (field, all) => {
    const list = document.createElement("datalist");
    list.id = `${field.id}-names`;
    const fill = () => {
      const held = field.value.slice(0, field.value.lastIndexOf(",") + 1);
      list.replaceChildren(...all.map((name) => new Option(name, held ? `${held} ${name}` : name)));
    };
    fill();
    document.body.append(list);
    field.addEventListener("input", fill);
    field.setAttribute("list", list.id);
  };

  // A slider: its places are steps from its lowest value; above 1 a step multiplies, else it adds.
  const slide = (slider, field, changed) => {
    const low = Number(slider.dataset.low), high = Number(slider.dataset.high), step = Number(slider.dataset.step);
    const times = step > 1;
    const places = Math.round(times ? Math.log(high / low) / Math.log(step) : (high - low) / step);
    const valueAt = (place) => Number((times ? low * step ** place : low + step * place).toPrecision(6));
    const whole = field.closest(".panel-int") !== null;
    const text = (value) => whole ? String(Math.round(value))
      : String(Number(value.toPrecision(3)));
    const say = () => slider.setAttribute("aria-valuetext", `${Number(field.value).toLocaleString("en-GB",
      {maximumSignificantDigits: 6})}`);
    slider.min = 0;
    slider.max = places;
    slider.step = 1;
    const follow = () => {
      const value = Number(field.value.replaceAll(",", ""));
      if (!(value >= 0)) return;
      const place = times ? Math.log(Math.max(value, low) / low) / Math.log(step) : (value - low) / step;
      slider.value = Math.min(Math.max(Math.round(place), 0), places);
      say();
    };
    slider.addEventListener("input", () => {
      field.value = text(valueAt(Number(slider.value)));
      say();
      changed();
    });
    follow();
    return follow;
  };

  const save = (name, text, type) => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([text], {type}));
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  };

  const live = (panel) => {
    const name = panel.dataset.panel, searches = "searches" in panel.dataset;
    const find = (selector) => panel.querySelector(selector);
    const form = find("form"), status = find(".panel-status"), button = find(".panel-start");
    const fields = new Map([...form.elements].filter((one) => one.name).map((one) => [one.name, one]));
    const value = (one) => one.type === "checkbox" ? (one.checked ? "yes" : "no") : one.value;
    const set = (one, text) => {
      if (one.type === "checkbox") one.checked = text === "yes";
      else one.value = text;
    };
    const initial = new Map([...fields].map(([key, one]) => [key, value(one)]));
    let keep = null, running = false, again = false, state = "waiting", last = "", pause = 0;
    const idle = searches ? SEARCHES : LIVE;

    const show = (told) => {
      find(".panel-answer").innerHTML = told.html;
      keep = told.keep;
      for (const one of panel.querySelectorAll("[data-shows]")) one.textContent = keep[one.dataset.shows];
      panel.querySelectorAll("[data-keep]").forEach((one) => { one.disabled = false; });
      for (const [key, one] of fields) {
        one.closest(".panel-field").hidden = !told.matters.includes(key);
      }
      find(".panel-live").textContent = told.said;
      if (location.hash !== `#${keep.link}` && touched) history.replaceState(null, "", `#${keep.link}`);
    };
    const refuse = (errors) => {
      for (const [key, one] of fields) {
        const said = find(`#${CSS.escape(one.id)}-error`);
        said.textContent = errors[key] || "";
        said.hidden = !errors[key];
        if (errors[key]) one.setAttribute("aria-invalid", "true");
        else one.removeAttribute("aria-invalid");
      }
      const general = find(".panel-general");
      general.textContent = errors[""] || "";
      general.hidden = !errors[""];
      const all = Object.values(errors);
      if (all.length) find(".panel-live").textContent = all.join(" ");
      if (state === "live") status.textContent = all.length ? STALE : idle;
    };
    let touched = false;
    const busy = (now) => {
      find(".panel-answer").setAttribute("aria-busy", now);
      if (!now) return;
      status.textContent = SEARCHING;
      find(".panel-live").textContent = "Searching.";
    };

    const update = async () => {
      if (running) { again = true; return; }
      running = true;
      do {
        again = false;
        const inputs = Object.fromEntries([...fields].map(([key, one]) => [key, value(one)]));
        if (searches && JSON.stringify(inputs) === last) continue;
        if (searches) busy(true);
        try {
          const told = await ask(name, inputs);
          last = JSON.stringify(inputs);
          refuse(told.errors || {});
          if (!told.errors) show(told);
        } catch (error) {
          last = "";
          refuse({"": `This could not be worked out here: ${error.message}`});
        }
      } while (again);
      running = false;
      if (searches) busy(false);
      panel.dispatchEvent(new CustomEvent("panel-answered"));
    };

    const start = async () => {
      if (state !== "waiting") return state === "live" && update();
      state = "starting";
      button.disabled = true;
      button.textContent = "Starting";
      const bar = find(".panel-progress"), total = Number(panel.dataset.megabytes) * 1e6;
      bar.hidden = false;
      const watch = (loaded) => {
        bar.value = Math.min(100 * loaded / total, 100);
        status.textContent = loaded < 0.95 * total
          ? `Loading Python: ${Math.round(loaded / 1e6)} of ${Math.round(total / 1e6)} MB.` : "Starting Python.";
      };
      watching.add(watch);
      find(".panel-live").textContent = "Loading Python.";
      try {
        await python(panel.dataset.files);
        state = "live";
        panel.classList.add("panel-running");
        status.textContent = idle;
        button.hidden = true;
        await update();
        if (!named) worker.postMessage({names: true});
        named = true;
      } catch (error) {
        state = "failed";
        button.textContent = "Not available";
        status.textContent = FAILED;
        status.title = error.message;
        find(".panel-live").textContent = FAILED;
      }
      bar.hidden = true;
      watching.delete(watch);
    };
    const changed = () => {
      clearTimeout(pause);
      touched = true;
      start();
    };
    // What a move of a slider or a letter does: where an answer takes a search, it waits for a pause.
    const moved = searches ? () => {
      clearTimeout(pause);
      pause = setTimeout(changed, PAUSE);
    } : changed;

    const followers = new Map([...panel.querySelectorAll("[data-of]")].map((slider) => {
      const field = fields.get(slider.dataset.of);
      if (searches) slider.addEventListener("change", changed);
      return [slider.dataset.of, slide(slider, field, moved)];
    }));
    for (const [key, one] of fields) {
      one.addEventListener("input", () => {
        followers.get(key)?.();
        moved();
      });
      if (searches) one.addEventListener("change", changed);
    }
    form.addEventListener("submit", (event) => { event.preventDefault(); changed(); });
    find(".panel-buttons").addEventListener("click", async ({target}) => {
      const what = target.dataset.keep;
      if (!what || !keep) return;
      if (what === "csv") return save(`${name}.csv`, keep.csv, "text/csv");
      if (what === "svg") {
        for (const one of panel.querySelectorAll(".panel-figure")) {
          save(`${name}-${one.dataset.name}.svg`, one.querySelector("svg").outerHTML, "image/svg+xml");
        }
        return;
      }
      const said = target.textContent;
      const text = what === "link" ? `${location.href.split("#")[0]}#${keep.link}` : keep[what];
      try {
        await navigator.clipboard.writeText(text);
        target.textContent = "Copied";
        find(".panel-live").textContent = "Copied.";
      } catch {
        target.textContent = "Not allowed here";
      }
      setTimeout(() => { target.textContent = said; }, 1500);
    });

    // A link to a state starts the panel with it.
    const arrive = () => {
      const [asked, query = ""] = location.hash.slice(1).split("?");
      if (asked !== name || !query) return;
      const given = new URLSearchParams(query);
      for (const [key, one] of fields) {
        set(one, given.get(key) ?? initial.get(key));
        followers.get(key)?.();
      }
      panel.closest("details.panel-fold")?.setAttribute("open", "");
      panel.scrollIntoView({block: "start"});
      start();
    };

    if (!button) return;
    if (typeof WebAssembly !== "object" || typeof Worker !== "function") {
      button.hidden = true;
      status.textContent = NO_WASM;
      return;
    }
    form.querySelector("fieldset").disabled = false;
    button.disabled = false;
    button.addEventListener("click", start);
    addEventListener("hashchange", arrive);
    arrive();
  };

  // A chapter's panel comes when its line is opened, or when a link asks for a state of it.
  const unfold = async (fold) => {
    if (fold.dataset.asked) return;
    fold.dataset.asked = "yes";
    try {
      const response = await fetch(fold.dataset.fragment);
      if (!response.ok) return;
      fold.querySelector(".panel-place").innerHTML = await response.text();
      live(fold.querySelector(".panel"));
    } catch {
      // The link below leads to the page that has all of them.
    }
  };

  document.querySelectorAll(".panel").forEach(live);
  for (const fold of document.querySelectorAll(".panel-fold")) {
    fold.addEventListener("toggle", () => fold.open && unfold(fold));
    if (location.hash.startsWith(`#${fold.dataset.panel}?`)) fold.open = true;
  }
})();
