// Finds the sections, terms and functions of the book that have all words of a question, the best first.
(() => {
  "use strict";

  const MOST = 30, AROUND = 110;
  // Words that most sections have.
  const COMMON = new Set("a an and are as at be by can do does for from how i in is it its many much of on or per than that the to what when where which who why with".split(" "));

  const words = (text) => text.toLowerCase().normalize("NFKD").match(/[\p{L}\p{N}]+/gu) || [];
  // A plural finds its singular; short words stay as they are.
  const stem = (word) => (word.length > 3 ? word.replace(/(?:ies|es|s)$/, (end) => (end === "ies" ? "y" : end === "es" && /(?:ss|x|ch|sh)es$/.test(word) ? "" : end === "es" ? "e" : "")) : word);

  const prepared = window.searchSections.map(([title, page, address, text, weight]) => ({
    title, page, address, text, weight,
    inTitle: words(title).map(stem),
    inPage: words(page).map(stem),
    inText: words(text).map(stem),
  }));

  // How well a word of the question fits words of a place: whole words count most, then beginnings.
  const fit = (word, found) => {
    let whole = 0, begun = 0;
    for (const one of found) {
      if (one === word) whole += 1;
      else if (word.length > 2 && one.startsWith(word)) begun += 1;
    }
    return Math.min(4, whole) + 0.4 * Math.min(2, begun);
  };

  const scored = (query) => {
    const asked = words(query).map(stem);
    const telling = asked.filter((word) => !COMMON.has(word));
    const wanted = [...new Set(telling.length ? telling : asked)];
    if (!wanted.length) return [];
    const fits = prepared.map((place) => wanted.map((word) => ({
      title: fit(word, place.inTitle), page: fit(word, place.inPage), text: fit(word, place.inText),
    })));
    const rarity = wanted.map((_, at) => {
      const having = fits.filter((one) => one[at].title || one[at].text).length;
      return Math.log(1 + prepared.length / (1 + having));
    });
    const phrase = wanted.join(" ");
    const results = prepared.map((place, number) => {
      const has = fits[number].map((one) => one.title + one.text > 0 || one.page > 0);
      const own = fits[number].some((one) => one.title + one.text > 0);
      let score = 0;
      fits[number].forEach((one, at) => {
        const inTitle = one.title ? 6 / Math.sqrt(1 + place.inTitle.length / 2) * Math.min(1, one.title) + 1 : 0;
        score += rarity[at] * (inTitle + (one.page ? 0.7 : 0) + Math.log(1 + one.text));
      });
      if (place.inTitle.join(" ") === phrase) score *= 1.8;
      else if (wanted.length > 1 && ` ${place.inText.join(" ")} `.includes(` ${phrase} `)) score *= 1.3;
      return { place, score: score * place.weight, matched: own ? has.filter(Boolean).length : 0 };
    });
    const most = Math.max(0, ...results.map((one) => one.matched));
    return results.filter((one) => most && one.matched === most && one.score).sort((one, other) => other.score - one.score)
      .map((one) => ({ ...one.place, partial: most < wanted.length, wanted }));
  };

  // The sentence-like stretch around the first word that was asked for, cut at spaces.
  const excerpt = (text, wanted) => {
    const at = text.toLowerCase().search(new RegExp(`(?<![\\p{L}\\p{N}])(?:${wanted.join("|")})`, "u"));
    let start = Math.max(0, at - AROUND), end = Math.min(text.length, Math.max(at, 0) + AROUND * 1.4);
    if (start) start = text.indexOf(" ", start) + 1;
    if (end < text.length) end = text.lastIndexOf(" ", end);
    return `${start ? "… " : ""}${text.slice(start, end)}${end < text.length ? " …" : ""}`;
  };

  const marked = (text, wanted) => {
    const line = document.createElement("p");
    line.className = "context";
    const parts = text.split(new RegExp(`((?<![\\p{L}\\p{N}])(?:${wanted.join("|")})[\\p{L}\\p{N}]*)`, "iu"));
    parts.forEach((part, number) => {
      if (number % 2) line.append(Object.assign(document.createElement("mark"), { textContent: part }));
      else line.append(part);
    });
    return line;
  };

  const item = (found) => {
    const made = document.createElement("li");
    const link = Object.assign(document.createElement("a"), { href: found.address, textContent: found.title });
    made.append(link);
    if (found.page !== found.title) {
      made.append(Object.assign(document.createElement("span"), { className: "found-on", textContent: found.page }));
    }
    if (found.text) made.append(marked(excerpt(found.text, found.wanted), found.wanted));
    return made;
  };

  const query = new URLSearchParams(window.location.search).get("q") || "";
  for (const field of document.querySelectorAll('input[type="search"][name="q"]')) field.value = query;
  const results = document.querySelector("#search-results");
  if (!query.trim() || !results) return;
  const found = scored(query);
  const summary = Object.assign(document.createElement("p"), { className: "search-summary" });
  summary.setAttribute("role", "status");
  summary.textContent = !found.length ? "Nothing in the book has these words."
    : `${found[0].partial ? "No section has all of these words; the nearest" : found.length === 1 ? "1 place" : `${found.length} places`}${found.length > MOST ? `, the best ${MOST}` : ""}:`;
  const list = Object.assign(document.createElement("ul"), { className: "search" });
  list.append(...found.slice(0, MOST).map(item));
  results.append(summary, list);
})();
