// A Pointer shows what is under the mouse or at the place that the arrow keys have
// gone to, and zooms: a drag draws a box, the wheel zooms with Ctrl, + and - zoom,
// Shift with arrows moves, 0 and a double click show all, Escape takes the tip away.
class Pointer {
  constructor(plot) {
    this.plot = plot;
    this.tip = make("div", { class: "figure-tip", hidden: true });
    this.cross = make("div", { class: "figure-cross", hidden: true });
    this.box = make("div", { class: "figure-box", hidden: true });
    plot.stage.append(this.cross, this.box, this.tip);
    const on = (event, f, options) => plot.canvas.addEventListener(event, f, options);
    on("pointermove", (e) => this.move(e));
    on("pointerdown", (e) => this.down(e));
    on("pointerup", (e) => this.up(e));
    on("pointercancel", () => this.abandon());
    on("pointerleave", () => this.from || this.hide());
    on("dblclick", () => plot.setZoom(null, null));
    on("wheel", (e) => this.wheel(e), { passive: false });
    on("keydown", (e) => this.key(e));
    on("blur", () => this.hide());
  }

  at(e) {
    const frame = this.plot.canvas.getBoundingClientRect();
    return [e.clientX - frame.left, e.clientY - frame.top];
  }

  move(e) {
    const { plot } = this;
    if (!plot.chart || plot.drawing.row) return;
    const [px, py] = this.at(e);
    if (this.from) return this.drag(px, py);
    const coordinates = plot.coordinates(px, py);
    if (!this.inside(px, py) || !coordinates) return this.hide();
    const tip = plot.drawing.at(...coordinates, (x, y) => plot.pixels(x, y));
    if (tip) this.show(tip, [px, py]);
    else this.hide();
  }

  // inside tells whether pixels are within the axes.
  inside(px, py) {
    const area = this.area();
    return px >= area.left && px <= area.right && py >= area.top && py <= area.bottom;
  }

  area() {
    const { option, x, y } = this.plot.drawing;
    const limits = (scale, axis) => (scale ? [scale.lo, scale.hi] : [-0.5, axis.data.length - 0.5]);
    const [x0, x1] = limits(x, option.xAxis);
    const [y0, y1] = limits(y, option.yAxis);
    // A category axis has no coordinates beyond its middles: half a step is added.
    const half = (axis, scale, side) => {
      if (scale) return 0;
      const step = axis.data.length > 1 ? this.plot.pixels(...(side ? [x ? x.lo : 0, 1] : [1, y ? y.lo : 0]))[side] - this.plot.pixels(...(side ? [x ? x.lo : 0, 0] : [0, y ? y.lo : 0]))[side] : 0;
      return Math.abs(step) / 2 || 40;
    };
    const corner = (cx, cy) => this.plot.pixels(cx, cy);
    const a = corner(x ? x0 : 0, y ? y0 : 0);
    const b = corner(x ? x1 : option.xAxis.data.length - 1, y ? y1 : option.yAxis.data.length - 1);
    const [hx, hy] = [half(option.xAxis, x, 0), half(option.yAxis, y, 1)];
    return { left: Math.min(a[0], b[0]) - hx, right: Math.max(a[0], b[0]) + hx, top: Math.min(a[1], b[1]) - hy, bottom: Math.max(a[1], b[1]) + hy };
  }

  // show shows a tip beside pixels, or beside the place that it belongs to.
  show(tip, pixels) {
    const { plot } = this;
    const named = tip.rows.length > 1 || tip.rows.some((r) => r.name);
    this.tip.replaceChildren(make("strong", { text: tip.title }), ...tip.rows.map((row) => make("div", { class: "figure-tip-row" },
      row.series ? swatch(row.series, plot.panel.kind) : null,
      named ? make("span", { class: "figure-tip-name", text: row.name || "" }) : null,
      make("span", { class: "figure-tip-value", text: row.value }),
      row.note ? make("span", { class: "figure-tip-note", text: row.note }) : null)));
    this.tip.hidden = false;
    this.cross.hidden = !tip.line;
    const area = plot.drawing.row ? null : this.area();
    if (tip.line) {
      const px = plot.pixels(tip.x, plot.drawing.y.lo)[0];
      Object.assign(this.cross.style, { left: px + "px", top: area.top + "px", height: area.bottom - area.top + "px" });
    }
    const [px, py] = pixels || this.place(tip, area);
    const { offsetWidth: w, offsetHeight: h } = this.tip;
    const room = plot.stage.clientWidth;
    const left = px + 14 + w <= room ? px + 14 : px - 14 - w;
    Object.assign(this.tip.style, { left: clamp(left, 0, Math.max(0, room - w)) + "px", top: Math.max(-30, Math.min(py + 14, plot.canvas.clientHeight - h)) + "px" });
  }

  place(tip, area) {
    const { x, y } = this.plot.drawing;
    const [px, py] = this.plot.pixels(tip.x ?? (x ? (x.lo + x.hi) / 2 : 0), tip.y ?? (y ? (y.lo + y.hi) / 2 : 0));
    return [clamp(px, area.left, area.right), clamp(py, area.top, area.bottom)];
  }

  hide() {
    this.tip.hidden = this.cross.hidden = true;
  }

  down(e) {
    const { x, y } = this.plot.drawing || {};
    if (e.pointerType !== "mouse" || e.button !== 0 || (!x && !y) || !this.inside(...this.at(e))) return;
    this.from = this.at(e);
    this.plot.canvas.setPointerCapture(e.pointerId);
  }

  // span is the dragged box: an axis along which the drag was short, or that has no
  // scale, is taken whole.
  span(px, py) {
    const area = this.area();
    const { x, y } = this.plot.drawing;
    const along = (i, a, b, scale) => {
      const [from, to] = [clamp(this.from[i], a, b), clamp(i ? py : px, a, b)];
      return scale && Math.abs(to - from) > 12 ? [Math.min(from, to), Math.max(from, to)] : null;
    };
    return { area, x: along(0, area.left, area.right, x), y: along(1, area.top, area.bottom, y) };
  }

  drag(px, py) {
    const s = this.span(px, py);
    this.hide();
    this.box.hidden = !s.x && !s.y;
    const [left, right] = s.x || [s.area.left, s.area.right];
    const [top, bottom] = s.y || [s.area.top, s.area.bottom];
    Object.assign(this.box.style, { left: left + "px", top: top + "px", width: right - left + "px", height: bottom - top + "px" });
  }

  up(e) {
    if (!this.from) return;
    const s = this.span(...this.at(e));
    this.abandon();
    if (!s.x && !s.y) return;
    const { plot } = this;
    const a = plot.coordinates(s.x ? s.x[0] : s.area.left, s.y ? s.y[1] : s.area.bottom);
    const b = plot.coordinates(s.x ? s.x[1] : s.area.right, s.y ? s.y[0] : s.area.top);
    plot.setZoom(s.x ? [a[0], b[0]] : plot.zoom.x, s.y ? [a[1], b[1]] : plot.zoom.y);
  }

  abandon() {
    this.from = null;
    this.box.hidden = true;
  }

  wheel(e) {
    if (!e.ctrlKey || (!this.plot.drawing?.x && !this.plot.drawing?.y)) return;
    e.preventDefault();
    this.plot.zoomBy(e.deltaY < 0 ? 0.8 : 1.25);
  }

  key(e) {
    const { plot } = this;
    if (!plot.drawing || e.ctrlKey || e.metaKey || e.altKey) return;
    const forward = e.key === "ArrowRight" || e.key === "ArrowDown";
    if (forward || e.key === "ArrowLeft" || e.key === "ArrowUp") {
      if (e.shiftKey) plot.zoomBy(1, forward ? 0.2 : -0.2);
      else this.step(forward ? 1 : -1);
    } else if (e.key === "Home" || e.key === "End") this.step(e.key === "Home" ? -Infinity : Infinity);
    else if (e.key === "+" || e.key === "=") plot.zoomBy(0.6);
    else if (e.key === "-") plot.zoomBy(1 / 0.6);
    else if (e.key === "0") plot.setZoom(null, null);
    else if (e.key === "Escape") this.hide();
    else return;
    e.preventDefault();
  }

  step(by) {
    const stops = this.plot.drawing.stops();
    if (!stops.length) return;
    this.plot.stop = clamp(this.plot.stop < 0 && by === -1 ? 0 : this.plot.stop + by, 0, stops.length - 1);
    const tip = stops[this.plot.stop];
    this.show(tip);
    this.plot.view.say([tip.title, ...tip.rows.map((r) => [r.name, r.value, r.note].filter(Boolean).join(" "))].join("; "));
  }
}
