const mostRows = 1000;

// dataTable is a panel's data as a table.
function dataTable(figure, panel, plot) {
  const { head, rows, count = rows.length, chosen: part } = dataOf(panel, plot);
  const end = panel.replay && panel.kind !== "lines";
  const caption = [figure.title, panel.name].filter(Boolean).join(", ") + (part ? " (chosen rows)" : end ? ` (${panel.replay.label} ${number(panel.replay.at.at(-1))})` : "");
  const table = make("table", {},
    make("caption", { text: caption }),
    make("thead", {}, make("tr", {}, ...head.map((h) => make("th", { scope: "col", class: h.number ? "number" : null, text: h.name })))),
    make("tbody", {}, ...rows.slice(0, mostRows).map((row) => make("tr", {}, ...row.map((cell, i) => (i === 0
      ? make("th", { scope: "row", class: head[0].number ? "number" : null, text: cell })
      : make("td", { class: head[i].number ? "number" : null, text: cell })))))));
  sortable(table);
  const frame = make("div", { class: "table-frame", role: "region", "aria-label": caption, tabindex: 0 }, table);
  const rest = count > mostRows ? make("p", { class: "figure-note", text: `The first ${mostRows} of ${count.toLocaleString("en-US")} rows.` }) : null;
  return make("div", {}, frame, rest);
}

function dataOf(panel, plot) {
  const series = panel.series || [];
  const cell = (s, i) => interval(s.y[i], s.low?.[i], s.high?.[i]) + (s.text?.[i] ? ` (${s.text[i]})` : "");
  switch (panel.kind) {
    case "lines":
    case "areas": {
      const xs = [...new Set(series.flatMap((s) => s.x))].filter(finite).sort((a, b) => a - b);
      const index = series.map((s) => new Map(s.x.map((v, i) => [v, i])));
      return {
        head: [{ name: panel.x.label, number: true }, ...series.map((s) => ({ name: s.name, number: true }))],
        rows: xs.map((v) => [number(v), ...series.map((s, k) => (index[k].has(v) ? cell(s, index[k].get(v)) : "\u2013"))]),
      };
    }
    case "bars":
    case "intervals": {
      const single = series.every((s) => s.y.filter(finite).length <= 1);
      if (single) {
        const of = (c) => series.filter((s) => finite(s.y[c])).map((s) => cell(s, c)).join("; ") || "\u2013";
        return { head: [{ name: panel.x.label }, { name: panel.y.label, number: true }], rows: panel.x.categories.map((name, c) => [name, of(c)]) };
      }
      return {
        head: [{ name: panel.x.label }, ...series.map((s) => ({ name: s.name, number: true }))],
        rows: panel.x.categories.map((name, c) => [name, ...series.map((s) => cell(s, c))]),
      };
    }
    case "scatter":
      return {
        head: [{ name: "series" }, { name: panel.x.label, number: true }, { name: panel.y.label, number: true }, { name: "what" }],
        rows: series.flatMap((s) => s.y.map((_, i) => [s.name, number(s.x[i]), interval(s.y[i], s.low?.[i], s.high?.[i]), s.text?.[i] || ""])),
      };
    case "heatmap":
      return grid(panel, panel.x.categories, panel.y.categories, false);
    case "contour":
      return grid(panel, panel.grid_x.map(number), panel.grid_y.map(number), true);
    default: {
      const rows = plot.rows();
      return {
        head: panel.dims.map((d) => ({ name: d.label, number: !d.categories?.length })),
        rows: rows.slice(0, mostRows).map((row) => row.map((v, d) => dimValue(panel.dims[d], v))),
        count: rows.length, chosen: rows.length < panel.rows.length,
      };
    }
  }
}

function grid(panel, columns, rows, numeric) {
  return {
    head: [{ name: `${panel.y.label} \\ ${panel.x.label}`, number: numeric }, ...columns.map((name) => ({ name, number: true }))],
    rows: rows.map((name, r) => [name, ...panel.grid[r].map((v, c) => number(v) + (panel.grid_text?.[r]?.[c] ? ` (${panel.grid_text[r][c]})` : ""))]),
  };
}

// value reads the first number of a cell, as people write it: "−1,234.5 [..]".
function value(text) {
  const found = /[-\u2212]?(\d[\d,]*\.?\d*|\.\d+)(e[-+\u2212]?\d+)?/i.exec(text);
  return found ? Number(found[0].replaceAll("\u2212", "-").replaceAll(",", "")) : NaN;
}

// sortable puts a button into each head of a table, which sorts its rows: first
// ascending, then descending. What is no number stays at the end.
function sortable(table) {
  const heads = [...table.tHead.rows[table.tHead.rows.length - 1].cells];
  if (table.tBodies[0].rows.length < 2 || heads.some((h) => h.querySelector("button"))) return;
  heads.forEach((head, column) => {
    const numeric = head.classList.contains("number");
    const button = make("button", { type: "button", class: "sort", on: { click: () => {
      const down = head.getAttribute("aria-sort") === "ascending";
      heads.forEach((h) => h.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      const key = (row) => (numeric ? value(row.cells[column].textContent) : row.cells[column].textContent);
      const order = (a, b) => {
        if (!numeric) return a.localeCompare(b, "en", { numeric: true }) * (down ? -1 : 1);
        if (Number.isNaN(a) || Number.isNaN(b)) return Number.isNaN(a) - Number.isNaN(b);
        return (a - b) * (down ? -1 : 1);
      };
      const body = table.tBodies[0];
      const rows = [...body.rows].map((row) => [key(row), row]).sort((a, b) => order(a[0], b[0]));
      body.append(...rows.map(([, row]) => row));
      table.dispatchEvent(new Event("sorted"));
    } } });
    button.append(...head.childNodes);
    head.append(button);
  });
}

// fold hides the rows beyond so many behind a button; print shows them all.
function fold(table, rows = 15) {
  const body = table.tBodies[0];
  if (!body || body.rows.length <= rows + 3) return;
  let open = false;
  const text = () => (open ? `Show the first ${rows} rows` : `Show all ${body.rows.length.toLocaleString("en-US")} rows`);
  const apply = () => [...body.rows].forEach((row, i) => row.classList.toggle("folded", !open && i >= rows));
  const button = make("button", { type: "button", class: "button unfold", "aria-expanded": "false", text: text(), on: { click: () => {
    open = !open;
    button.setAttribute("aria-expanded", String(open));
    button.textContent = text();
    apply();
  } } });
  table.addEventListener("sorted", apply);
  (table.closest(".table-frame") || table).after(button);
  apply();
}
