const views = new Map();

// swatch is a series' sign in legends and tips.
function swatch(series, kind) {
  const { color, shape, dash } = look(series);
  const filling = series.faint ? { x: 1.5, y: 1.5, width: 9, height: 9, fill: color, "fill-opacity": 0.22, stroke: color } : { x: 1, y: 1, width: 10, height: 10, fill: color };
  const filled = kind === "bars" || kind === "areas";
  const wide = kind === "lines";
  return svg("svg", { viewBox: wide ? "0 0 26 12" : "0 0 12 12", width: wide ? 26 : 12, height: 12, "aria-hidden": "true", focusable: "false", class: "swatch" },
    ...(filled ? [svg("rect", filling)] : [
      ...(wide ? [svg("line", { x1: 0, x2: 26, y1: 6, y2: 6, stroke: color, "stroke-width": 2, "stroke-dasharray": dash ? dash.map((v) => v * 0.7).join(" ") : null })] : []),
      svg("path", { d: shape, fill: color, transform: `translate(${wide ? 13 : 6} 6) scale(4.4)` }),
    ]));
}

// A View is a figure in an element: its words, controls, the plot of the panel
// that is shown (or its tiles), and the table.
class View {
  constructor(element, figure) {
    this.element = element;
    element.querySelectorAll(":scope > .figure-words").forEach((e) => e.remove()); // what stands there without this script
    this.hidden = new Map(); // by series' name, once somebody has toggled it
    this.index = 0;
    element.classList.add("figure");
    this.head = element.querySelector(":scope > .figure-head") || this.makeHead();
    this.bar = make("div", { class: "figure-bar" });
    this.help = make("p", { class: "figure-help", id: freshID("figure-help") });
    this.live = make("p", { class: "hidden-text", role: "status" });
    this.body = make("div", { class: "figure-body" });
    this.note = make("p", { class: "figure-note" });
    this.data = make("div", { class: "figure-data", id: freshID("figure-data"), hidden: true });
    this.actions = make("div", { class: "figure-actions" });
    element.append(this.bar, this.body, this.help, this.live, make("div", { class: "figure-foot" }, this.note, this.actions), this.data);
    this.set(figure);
  }

  makeHead() {
    const level = clamp(Number(this.element.dataset.level) || 3, 2, 6);
    const head = make(this.element.tagName === "FIGURE" ? "figcaption" : "div", { class: "figure-head" }, make("h" + level, { class: "figure-title" }), make("p", { class: "figure-caption" }));
    this.element.prepend(head);
    return head;
  }

  get panel() {
    return this.figure.panels[this.index];
  }

  // words stand for the picture.
  words(panel) {
    return [this.figure.title, panel.name, this.figure.caption].filter(Boolean).join(". ");
  }

  isHidden(s) {
    return this.hidden.get(s.name) ?? !!s.hidden;
  }

  shown(panel) {
    return (panel.series || []).filter((s) => !this.isHidden(s));
  }

  // set takes a figure: the controls are made anew only where they would differ.
  set(figure) {
    const name = this.figure && this.panel?.name;
    for (const panel of figure.panels) (panel.series || []).filter((s) => s.color < 0).forEach((s, i) => (s.nth = i));
    this.figure = figure;
    this.index = Math.max(0, figure.panels.findIndex((p) => p.name === name));
    for (const [part, text] of [[".figure-title", figure.title], [".figure-caption", figure.caption]]) {
      const e = this.head.querySelector(part);
      if (e && e.textContent !== text) e.textContent = text;
    }
    this.note.textContent = figure.note || "";
    this.note.hidden = !figure.note;
    const controls = JSON.stringify([figure.panels.map((p) => p.name), this.panel.kind, (this.panel.series || []).map((s) => [s.name, s.color, s.dashed, s.faint]), this.panel.dims, this.panel.replay]);
    if (this.papers) return; // drawn anew when the page leaves the paper
    if (controls !== this.controls) {
      this.controls = controls;
      this.makeBar();
      this.makePlot();
    } else {
      this.plot.panel = this.panel;
      this.plot.name(this.words(this.panel));
    }
    this.plot.draw();
    this.refreshTable();
  }

  makeBar() {
    this.reset = make("button", { type: "button", class: "button", text: "Reset zoom", hidden: true, on: { click: () => { this.plot.setZoom(null, null); this.plot.canvas.focus(); } } });
    this.toTable = make("button", { type: "button", class: "button", text: "Show as table", "aria-expanded": String(!this.data.hidden), "aria-controls": this.data.id, on: { click: () => this.toggleTable() } });
    this.legend = make("div", { class: "figure-legend-slot" }, this.legendOf(this.panel, false));
    this.bar.replaceChildren(...[this.selector(), this.legend].filter(Boolean));
    this.actions.replaceChildren(this.reset, this.toTable);
  }

  // selector chooses a panel: buttons where they are few, else a list.
  selector() {
    const { panels } = this.figure;
    if (panels.length < 2) return null;
    const go = (i) => {
      this.index = i;
      this.legend.replaceChildren(this.legendOf(this.panel, false));
      this.makePlot();
      this.plot.draw();
      this.refreshTable();
    };
    if (panels.length <= 5 && panels.reduce((sum, p) => sum + p.name.length, 0) <= 60) {
      const buttons = panels.map((p, i) => make("button", { type: "button", text: p.name, "aria-pressed": String(i === this.index), on: { click: () => { go(i); buttons.forEach((b, k) => b.setAttribute("aria-pressed", String(k === i))); } } }));
      return make("div", { class: "figure-tabs", role: "group", "aria-label": "Panel" }, ...buttons);
    }
    const select = make("select", { on: { change: () => go(Number(select.value)) } }, ...panels.map((p, i) => make("option", { value: i, text: p.name, selected: i === this.index })));
    return make("label", { class: "figure-select" }, make("span", { text: "Panel" }), select);
  }

  // legendOf makes buttons that toggle series, or on paper their names alone.
  legendOf(panel, paper) {
    const series = panel.series || [];
    // Where each category is its own series, the axis names them.
    const single = panel.kind === "intervals" && series.every((s) => panel.x.categories.includes(s.name) && s.y.filter(finite).length <= 1);
    if (single || series.length < (panel.kind === "contour" ? 1 : 2)) return "";
    const legend = make("div", { class: "figure-legend", role: "group", "aria-label": "Series" });
    for (const s of series) {
      const text = make("span", { text: s.name });
      if (paper) {
        if (!this.isHidden(s)) legend.append(make("span", { class: "figure-key" }, swatch(s, panel.kind), text));
        continue;
      }
      const button = make("button", { type: "button", class: "figure-key", "aria-pressed": String(!this.isHidden(s)), on: { click: () => {
        this.hidden.set(s.name, !this.isHidden(s));
        button.setAttribute("aria-pressed", String(!this.isHidden(s)));
        this.plot.draw();
      } } }, swatch(s, panel.kind === "contour" ? "scatter" : panel.kind), text);
      legend.append(button);
    }
    return legend;
  }

  plotOf(panel, paper) {
    return panel.kind === "tiles" ? new Tiles(this, panel, paper) : new Plot(this, panel, paper);
  }

  makePlot() {
    this.plot?.dispose();
    this.slider?.dispose();
    const { kind, replay } = this.panel;
    this.plot = this.plotOf(this.panel, false);
    this.slider = replay?.at.length > 1 ? new Slider(this, replay) : null;
    this.body.replaceChildren(this.plot.element, ...(this.slider ? [this.slider.element] : []));
    this.toTable.hidden = kind === "tiles"; // words already
    this.element.classList.toggle("figure-told", kind === "tiles");
    const zooms = !["heatmap", "parallel"].includes(kind);
    this.help.textContent = kind === "parallel" ? "The fields below choose rows." : "Arrow keys read the values" + (zooms ? "; + and \u2212 zoom, Shift with arrows moves, 0 shows all. With the mouse: drag a box." : ".");
  }

  zoomed(is) {
    if (this.reset) this.reset.hidden = !is;
  }

  say(text) {
    this.live.textContent = text;
  }

  toggleTable() {
    this.data.hidden = !this.data.hidden;
    this.toTable.setAttribute("aria-expanded", String(!this.data.hidden));
    this.toTable.textContent = this.data.hidden ? "Show as table" : "Hide table";
    this.refreshTable();
  }

  refreshTable() {
    if (this.data.hidden || this.panel.kind === "tiles") this.data.replaceChildren();
    else this.data.replaceChildren(dataTable(this.figure, this.panel, this.plot));
  }

  // toPaper shows every panel (of many, the one that is chosen) as it is printed.
  toPaper(on) {
    if (on === !!this.papers) return;
    this.papers?.forEach((p) => p.dispose());
    this.papers = null;
    if (!on) {
      this.controls = "";
      this.set(this.figure);
      return;
    }
    const { panels } = this.figure;
    this.plot.dispose();
    this.slider?.dispose();
    this.papers = (panels.length <= 4 ? panels : [this.panel]).map((p) => this.plotOf(p, true));
    this.body.replaceChildren(...this.papers.map((p) => p.element));
    this.papers.forEach((p) => p.draw());
  }

  draw() {
    (this.papers || [this.plot]).forEach((p) => p.draw());
  }

  dispose() {
    (this.papers || [this.plot]).forEach((p) => p.dispose());
    this.slider?.dispose();
    this.element.replaceChildren();
    this.element.classList.remove("figure");
  }
}
