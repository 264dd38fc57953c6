const kinds = {
  lines: drawLines, areas: drawAreas, scatter: drawScatter, bars: drawCategories, intervals: drawCategories,
  heatmap: drawHeatmap, contour: drawContour, parallel: drawParallel,
};

// inks are the colours of the page's theme and its type.
function inks(element) {
  const style = getComputedStyle(element);
  const of = (name) => style.getPropertyValue("--" + name).trim();
  return {
    text: of("ink"), muted: of("muted"), grid: of("chart-grid"), axis: of("chart-axis"), mark: of("chart-mark"), stripe: of("chart-stripe"),
    paper: of("paper"), band: Number(of("chart-band")) || 0.16, font: style.fontFamily,
  };
}

// A Plot is one panel as it is drawn: on the screen with pointer and keys, or on
// paper. It knows which rows or series are shown, and when, from its view.
class Plot {
  constructor(view, panel, paper) {
    Object.assign(this, { view, panel, paper, zoom: { x: null, y: null }, stop: -1 });
    this.intervals = (panel.dims || []).map(() => null);
    this.above = make("div", { class: "figure-above", "aria-hidden": "true" });
    this.canvas = make("div", { class: "figure-plot", role: "img", "aria-label": view.words(panel) });
    this.stage = make("div", { class: "figure-stage" }, this.canvas);
    this.ramp = make("div", { class: "figure-ramp", hidden: true });
    this.element = make("div", { class: "figure-panel" }, this.above, this.stage, this.ramp);
    if (paper) {
      if (view.figure.panels.length > 1) this.element.prepend(make("p", { class: "figure-panel-name", text: panel.name }), view.legendOf(panel, true));
      return;
    }
    this.canvas.tabIndex = 0;
    this.canvas.setAttribute("aria-describedby", view.help.id);
    this.pointer = new Pointer(this);
    if (panel.kind === "parallel") {
      this.filters = filters(this);
      this.element.append(this.filters.element);
    }
    this.watch = new ResizeObserver(() => this.stage.clientWidth && this.stage.clientWidth !== this.width && this.draw());
    this.watch.observe(this.stage);
  }

  draw() {
    const width = (this.width = this.paper ? 660 : this.stage.clientWidth);
    if (!width) return;
    const narrow = width < 520;
    const whole = this.view.shown(this.panel);
    const k = this.paper ? Infinity : this.view.slider?.index ?? Infinity;
    const env = {
      ink: inks(this.canvas), size: narrow ? 11 : 12, width, narrow, zoom: this.zoom, whole,
      height: this.paper ? 280 : Math.round(clamp(width * 0.46, 260, 400)),
    };
    const drawing = (this.drawing = kinds[this.panel.kind](this.panel, this.panel.replay ? whole.map((s) => seen(this.panel, s, k)) : whole, env));
    const wide = Math.min(width, drawing.most || width);
    this.above.textContent = drawing.above || "";
    this.canvas.style.width = wide + "px";
    this.canvas.style.height = drawing.height + "px";
    const vector = this.paper && document.documentElement.dataset.paper === "vector";
    if (!this.chart) {
      this.chart = echarts.init(this.canvas, null, { renderer: vector ? "svg" : "canvas", width: wide, height: drawing.height, devicePixelRatio: this.paper ? 3 : undefined });
      if (drawing.row) this.listen();
    } else {
      this.chart.resize({ width: wide, height: drawing.height, silent: true });
    }
    this.chart.setOption({ animation: false, backgroundColor: "transparent", textStyle: { fontFamily: env.ink.font }, ...drawing.option }, { notMerge: true });
    this.chart.getZr().flush();
    this.scaleBar(drawing.ramp);
    this.intervals.forEach((pair, d) => pair && this.select(d, pair));
    this.filters?.show();
    this.pointer?.hide();
    this.view.zoomed(this.zoom.x || this.zoom.y);
  }

  name(words) {
    this.canvas.setAttribute("aria-label", words);
  }

  // scaleBar is the key to a grid's colours.
  scaleBar(ramp) {
    this.ramp.hidden = !ramp;
    if (!ramp) return;
    const bar = make("span", { class: "figure-ramp-bar" });
    bar.style.backgroundImage = `linear-gradient(to right, ${ramp.list.join(", ")})`;
    // The list runs from worse to better; what is low stands on the left all the same.
    const label = ramp.label + (ramp.better === "high" ? " (higher is better)" : ramp.better === "low" ? " (lower is better)" : "");
    this.ramp.replaceChildren(make("span", { text: ramp.text(ramp.lo) }), bar, make("span", { text: ramp.text(ramp.hi) }), make("span", { class: "figure-ramp-label", text: label }));
  }

  pixels(x, y) {
    return this.chart.convertToPixel({ gridIndex: 0 }, [x, y]);
  }

  coordinates(px, py) {
    return this.chart.convertFromPixel({ gridIndex: 0 }, [px, py]);
  }

  // setZoom shows a part, in coordinates: null for all of an axis.
  setZoom(x, y) {
    const limited = (scale, pair) => {
      if (!scale || !pair) return null;
      const [lo, hi] = [Math.max(pair[0], scale.full[0]), Math.min(pair[1], scale.full[1])];
      const all = scale.full[1] - scale.full[0];
      return hi - lo < all * 1e-4 ? [scale.lo, scale.hi] : hi - lo > all * 0.999 ? null : [lo, hi];
    };
    this.zoom = { x: limited(this.drawing.x, x), y: limited(this.drawing.y, y) };
    this.draw();
  }

  // zoomBy shows a part of what is seen, or more of it, around its middle.
  zoomBy(factor, shift = 0) {
    const part = (scale, zoomable) => {
      if (!scale || !zoomable) return null;
      const middle = (scale.lo + scale.hi) / 2 + shift * (scale.hi - scale.lo);
      const half = ((scale.hi - scale.lo) / 2) * factor;
      const lo = clamp(middle - half, scale.full[0], Math.max(scale.full[0], scale.full[1] - 2 * half));
      return [lo, lo + 2 * half];
    };
    const { x, y } = this.drawing;
    this.setZoom(part(x, true), this.panel.kind === "lines" || this.panel.kind === "areas" ? this.zoom.y : part(y, true));
  }

  // listen follows the brushing of parallel axes and the line under the pointer.
  listen() {
    this.chart.on("axisareaselected", (event) => {
      const d = Number(event.parallelAxisId.slice("dim-".length));
      if (this.selecting || !(d in this.intervals)) return;
      const pair = event.intervals?.[0];
      this.intervals[d] = pair ? [Math.min(...pair), Math.max(...pair)] : null;
      this.filters?.show();
      this.view.refreshTable();
    });
    this.chart.on("mouseover", (event) => {
      if (event.seriesType !== "parallel") return;
      this.pointer?.show(this.drawing.row(event.dataIndex, {}), [event.event.offsetX, event.event.offsetY]);
    });
    this.chart.on("mouseout", () => this.pointer?.hide());
  }

  select(d, pair) {
    const scale = this.drawing.scales[d];
    this.selecting = true;
    const intervals = pair ? [[clamp(pair[0], scale.lo, scale.hi), clamp(pair[1], scale.lo, scale.hi)]] : [];
    this.chart.dispatchAction({ type: "axisAreaSelect", parallelAxisId: `dim-${d}`, intervals });
    this.chart.getZr().flush();
    this.selecting = false;
  }

  choose(d, pair) {
    this.intervals[d] = pair;
    this.select(d, pair);
    this.filters.show();
    this.view.refreshTable();
  }

  clear() {
    this.intervals.forEach((_, d) => this.choose(d, null));
  }

  // rows are the chosen ones of parallel coordinates.
  rows() {
    const scales = this.drawing?.scales;
    return scales ? this.panel.rows.filter((row) => chosen(row, scales, this.intervals)) : this.panel.rows;
  }

  dispose() {
    this.watch?.disconnect();
    this.chart?.dispose();
    this.chart = null;
  }
}
