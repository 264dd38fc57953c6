// rampOf returns how a grid's values become colours: the good end is the light
// one; around 0 where neither end is good.
function rampOf(panel, values) {
  const seen = values.filter(finite);
  let lo = seen.reduce((a, b) => Math.min(a, b), Infinity);
  let hi = seen.reduce((a, b) => Math.max(a, b), -Infinity);
  if (lo > hi) [lo, hi] = [0, 1];
  const better = panel.better || "";
  let list = diverging;
  if (better === "") {
    hi = Math.max(Math.abs(lo), Math.abs(hi)) || 1;
    lo = -hi;
  } else {
    list = better === "low" ? [...sequential].reverse() : sequential;
  }
  const of = (v) => (finite(v) ? blend(list, hi > lo ? (v - lo) / (hi - lo) : 0.5) : missing);
  // As many decimals for all as tell a hundredth of the range apart.
  const decimals = clamp(2 - Math.floor(Math.log10(hi - lo || Math.abs(hi) || 1)), 0, 8);
  const text = (v) => (!finite(v) ? "\u2013" : Math.abs(v) >= 1e6 ? number(v) : sign(v.toLocaleString("en-US", { minimumFractionDigits: decimals, maximumFractionDigits: decimals })));
  return { list, lo, hi, of, text, better, label: panel.grid_label || "" };
}

function drawHeatmap(panel, _, env) {
  const { x: { categories: columns }, y: { categories: rows } } = panel;
  const ramp = rampOf(panel, panel.grid.flat());
  const font = `${env.size}px ${env.ink.font}`;
  const rowNames = namesWidth(rows, env);
  const side = rowNames + 26;
  const most = Math.max(320, side + columns.length * 128);
  const room = (Math.min(env.width, most) - side) / columns.length;
  const widest = Math.max(...columns.map((c) => textWidth(c, font)));
  const turned = widest > room - 8;
  const height = rows.length <= 16 ? 38 : rows.length <= 40 ? 24 : 14;

  const cells = layer(2, (at, area) => panel.grid.flatMap((line, r) => line.flatMap((v, c) => {
    const [w, h] = [area.width / columns.length, area.height / rows.length];
    const [px, py] = at(c, r);
    const fill = ramp.of(v);
    const all = [{ type: "rect", shape: { x: px - w / 2, y: py - h / 2, width: w, height: h }, style: { fill, stroke: env.ink.paper, lineWidth: Math.min(w, h) > 10 ? 1 : 0 } }];
    const text = ramp.text(v);
    if (h >= 17 && textWidth(text, font) < w - 6) {
      all.push({ type: "text", x: px, y: py, style: { text, fill: inkOn(fill), font, align: "center", verticalAlign: "middle" } });
    }
    return all;
  })));
  const tip = (c, r) => ({
    x: c, y: r, title: `${panel.x.label} ${columns[c]}, ${panel.y.label} ${rows[r]}`,
    rows: [{ name: ramp.label || "value", value: number(panel.grid[r][c]), note: panel.grid_text?.[r]?.[c] }],
  });
  return {
    option: {
      grid: gridBox(),
      xAxis: categoryAxis(columns, panel.x.label, "x", env, { rotate: turned ? 45 : 0, width: turned ? 110 : room - 4, overflow: turned ? "truncate" : "break", interval: columns.length > 60 ? undefined : 0 }),
      yAxis: categoryAxis(rows, "", "y", env, { width: rowNames }),
      series: [cells],
    },
    x: null, y: null, above: panel.y.label, ramp, most, height: rows.length * height + (turned ? 130 : 64),
    at: (c, r) => (panel.grid[Math.round(r)]?.[Math.round(c)] === undefined ? null : tip(Math.round(c), Math.round(r))),
    stops: () => rows.flatMap((_, r) => columns.map((_, c) => tip(c, r))),
  };
}

// edges are the limits of cells around places: halfway between neighbours.
function edges(places) {
  const n = places.length;
  const between = places.slice(1).map((v, i) => (v + places[i]) / 2);
  return [places[0], ...between, places[n - 1]];
}

function drawContour(panel, shown, env) {
  const ramp = rampOf(panel, panel.grid.flat());
  const x = new Scale(panel.x, panel.grid_x, { tight: true, zoom: env.zoom.x, size: env.width });
  const y = new Scale(panel.y, panel.grid_y, { tight: true, zoom: env.zoom.y, size: env.height });
  const xs = panel.grid_x.map((v) => x.to(v));
  const ys = panel.grid_y.map((v) => y.to(v));
  const [ex, ey] = [edges(xs), edges(ys)];
  const cells = layer(1, (at) => panel.grid.flatMap((line, r) => line.map((v, c) => {
    // On whole pixels, so that no seam shows between cells.
    const [[left, top], [right, bottom]] = [at(ex[c], ey[r + 1]), at(ex[c + 1], ey[r])].map((p) => p.map(Math.round));
    return { type: "rect", shape: { x: left, y: top, width: right - left, height: bottom - top }, style: { fill: ramp.of(v) } };
  })));
  const font = `${env.size - 1}px ${env.ink.font}`;
  const isolines = layer(2, (at) => (panel.isolines || []).flatMap((l) => {
    const points = l.x.map((v, i) => at(x.to(v), y.to(l.y[i])));
    const color = inkOn(ramp.of(l.level));
    const halo = color === "#000000" ? "#ffffff" : "#000000";
    const [tx, ty] = points[Math.floor(points.length / 2)];
    const long = points.some((p) => Math.hypot(p[0] - tx, p[1] - ty) > 40);
    return [
      stroke(points, { stroke: color, lineWidth: 1, opacity: 0.75 }),
      ...(long ? [{ type: "text", x: tx, y: ty, style: { text: number(l.level), fill: color, stroke: halo, lineWidth: 2.5, font, align: "center", verticalAlign: "middle" } }] : []),
    ];
  }));
  const m = marks(panel.marks || [], x, y, env);
  const single = dots(panel, shown, x, y);
  const tip = (c, r) => ({
    x: xs[c], y: ys[r], title: ramp.label || "value",
    rows: [{ name: ramp.label || "value", value: number(panel.grid[r][c]), note: panel.grid_text?.[r]?.[c] },
      { name: panel.x.label, value: number(panel.grid_x[c]) }, { name: panel.y.label, value: number(panel.grid_y[r]) }],
  });
  const inside = (cx, cy) => cx >= x.lo && cx <= x.hi && cy >= y.lo && cy <= y.hi;
  // Not more stops than one would walk through: every so many cells.
  const every = (n) => Array.from({ length: Math.min(n, 12) }, (_, i) => Math.round((i * (n - 1)) / (Math.min(n, 12) - 1)));
  return {
    option: {
      grid: gridBox(m.top), xAxis: valueAxis(x, panel.x.label, "x", env), yAxis: { ...valueAxis(y, "", "y", env), splitLine: { show: false } },
      series: [cells, isolines, ...m.series, ...shown.map((s) => dotSeries(s, x, y, env, 4))],
    },
    x, y, above: panel.y.label, ramp, most: 760, height: env.height + 20 + m.top,
    at: (cx, cy, pixels) => {
      if (!inside(cx, cy)) return null;
      const dot = single.at(cx, cy, pixels);
      if (dot && Math.hypot(...pixels(dot.x, dot.y).map((v, i) => v - pixels(cx, cy)[i])) < 7) return dot;
      return tip(nearest(xs, cx, (v) => v), nearest(ys, cy, (v) => v));
    },
    stops: () => every(ys.length).reverse().flatMap((r) => every(xs.length).map((c) => tip(c, r))).filter((t) => inside(t.x, t.y)),
  };
}
