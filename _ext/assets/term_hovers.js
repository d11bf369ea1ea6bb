// Shows the definition of a term beside its link: under a mouse, with the keyboard, and at the first tap of a finger.
(() => {
  "use strict";

  const SELECTOR = 'article a[href*="glossary.html#term-"]';
  const source = document.currentScript.src.replace(/term_hovers\.js.*$/, "glossary_terms.js");
  const card = document.createElement("div");
  card.className = "term-card";
  card.id = "term-card";
  card.setAttribute("role", "tooltip");
  card.hidden = true;

  let loading = null;
  let owner = null;
  let leaving = 0;

  // The definitions come when the first of them is asked for.
  const loaded = () => {
    loading ??= new Promise((done, failed) => {
      const script = Object.assign(document.createElement("script"), { src: source, onload: done, onerror: failed });
      document.head.append(script);
    });
    return loading;
  };

  const hide = () => {
    owner?.removeAttribute("aria-describedby");
    owner = null;
    card.hidden = true;
  };

  const place = (link) => {
    const [box] = link.getClientRects();
    const width = document.documentElement.clientWidth;
    const left = Math.max(8, Math.min(box.left, width - card.offsetWidth - 8));
    const below = box.bottom + card.offsetHeight + 8 < window.innerHeight || box.top < card.offsetHeight + 8;
    card.style.left = `${left + window.scrollX}px`;
    card.style.top = `${(below ? box.bottom + 4 : box.top - card.offsetHeight - 4) + window.scrollY}px`;
  };

  const show = async (link) => {
    clearTimeout(leaving);
    if (owner === link) return;
    hide();
    owner = link;
    await loaded();
    const definition = window.glossaryTerms[decodeURIComponent(link.hash.slice(1))];
    if (!definition || owner !== link) return;
    card.innerHTML = definition;
    card.hidden = false;
    link.setAttribute("aria-describedby", card.id);
    place(link);
  };

  const leave = () => {
    clearTimeout(leaving);
    leaving = setTimeout(hide, 150);
  };

  document.body.append(card);
  card.addEventListener("pointerenter", () => clearTimeout(leaving));
  card.addEventListener("pointerleave", leave);
  document.addEventListener("keydown", (event) => event.key === "Escape" && hide());
  document.addEventListener("pointerdown", (event) => {
    if (owner && !card.contains(event.target) && !owner.contains(event.target)) hide();
  });
  for (const link of document.querySelectorAll(SELECTOR)) {
    let touched = false;
    link.addEventListener("pointerenter", (event) => event.pointerType === "mouse" && show(link));
    link.addEventListener("pointerleave", (event) => event.pointerType === "mouse" && leave());
    link.addEventListener("focus", () => show(link));
    link.addEventListener("blur", leave);
    // The first tap shows, the second follows the link.
    link.addEventListener("pointerdown", (event) => {
      touched = event.pointerType === "touch" && (owner !== link || card.hidden);
    });
    link.addEventListener("click", (event) => {
      if (!touched) return;
      event.preventDefault();
      show(link);
    });
  }
})();
