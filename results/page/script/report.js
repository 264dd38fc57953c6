// What a report does when it opens: the words are there already, this draws the
// figures of the embedded document, makes tables sortable and the buttons work.
(() => {
  "use strict";
  const report = JSON.parse(document.getElementById("document").textContent);
  document.documentElement.classList.add("scripted");
  Overnight.themeButton(document.getElementById("theme"));

  const figures = { lead: report.lead || [] };
  report.sections.forEach((section, i) => (figures[i] = section.figures || []));
  for (const element of document.querySelectorAll("[data-figure]")) {
    const [where, index] = element.dataset.figure.split(".");
    Overnight.lazy(element, figures[where][Number(index)]);
  }
  for (const table of document.querySelectorAll("main table")) {
    Overnight.sortable(table);
    Overnight.fold(table, 15);
  }
  for (const button of document.querySelectorAll("button[data-copy]")) {
    button.addEventListener("click", async () => {
      const source = document.getElementById(button.dataset.copy);
      const told = document.getElementById("copied");
      try {
        await navigator.clipboard.writeText(source.textContent);
        told.textContent = "Copied.";
      } catch {
        getSelection().selectAllChildren(source);
        told.textContent = "Selected: copy it with Ctrl+C.";
      }
    });
  }
  document.getElementById("print").addEventListener("click", () => window.print());
})();
