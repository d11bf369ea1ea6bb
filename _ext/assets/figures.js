// Shows a figure as large as the window, and copies the address by which one cites it.
(() => {
  "use strict";

  const dialog = document.createElement("dialog");
  dialog.className = "figure-dialog";
  dialog.innerHTML = '<form method="dialog"><button>Close</button></form>';
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  document.body.append(dialog);

  const enlarge = (figure) => {
    const shown = [...figure.querySelectorAll("img")].find((image) => image.offsetParent);
    const picture = shown.cloneNode();
    const box = document.createElement("div");
    picture.loading = "eager";
    box.append(picture);
    box.tabIndex = 0;
    dialog.querySelector("div")?.remove();
    dialog.append(box);
    dialog.setAttribute("aria-label", figure.querySelector(".caption-number")?.textContent.trim() || "Figure");
    dialog.showModal();
  };

  for (const tools of document.querySelectorAll(".figure-tools")) {
    const figure = tools.closest("figure");
    const button = tools.querySelector(".enlarge");
    button.hidden = false;
    button.addEventListener("click", () => enlarge(figure));
    for (const image of figure.querySelectorAll("img")) image.addEventListener("click", () => enlarge(figure));
    figure.classList.add("enlargeable");

    const link = tools.querySelector(".cite-figure");
    link.setAttribute("aria-live", "polite");
    link.addEventListener("click", async () => {
      try {
        await navigator.clipboard.writeText(link.href);
        link.textContent = "Address copied";
      } catch {
        // The address stands in the browser's own field.
      }
    });
  }
})();
