// A layer is a custom series that draws all of its shapes at once. render(at,
// area) returns ECharts' graphic elements; at(x, y) maps coordinates to pixels,
// area is the plot's {x, y, width, height}.
function layer(z, render, clip = true) {
  return {
    type: "custom", coordinateSystem: "cartesian2d", data: [[0, 0]], silent: true, animation: false, clip, z,
    renderItem: (params, api) => ({
      type: "group",
      children: render((x, y) => api.coord([x, y]), params.coordSys),
    }),
  };
}

const stroke = (points, style) => ({ type: "polyline", shape: { points }, style: { fill: null, ...style } });

// The element is moved, not its shape: ECharts keeps a path whose pathData is the
// same where it was first drawn.
function symbol(x, y, size, shape, style) {
  return { type: "path", x, y, shape: { pathData: shape, x: -size / 2, y: -size / 2, width: size, height: size, layout: "center" }, style };
}

// marks draws reference lines with their names: those across x above the plot, in
// as many rows as it takes, those across y at its right end, one below another
// where they are close.
// inset is about how many pixels stand left of the plot.
function marks(list, x, y, env, inset = 45) {
  const on = (side, scale) => list.filter((m) => m.axis === side && finite(scale.to(m.at)))
    .map((m) => ({ name: m.name, at: scale.to(m.at) }))
    .filter((m) => m.at >= scale.lo - 1e-9 * (scale.hi - scale.lo) && m.at <= scale.hi + 1e-9 * (scale.hi - scale.lo));
  const across = x ? on("x", x).sort((a, b) => a.at - b.at) : [];
  const along = y ? on("y", y).sort((a, b) => b.at - a.at) : [];
  const font = `${env.size - 1}px ${env.ink.font}`;
  const line = { stroke: env.ink.mark, lineWidth: 1.2, lineDash: [4, 3] };
  const label = { fill: env.ink.muted, font, textBorderColor: env.ink.paper, stroke: env.ink.paper, lineWidth: 3 };
  const names = across.map((m) => m.name);

  const draw = layer(4, (at, area) => {
    const all = [];
    const rowEnds = [];
    const middle = y ? (y.lo + y.hi) / 2 : 0;
    for (const m of across) {
      const px = at(m.at, middle)[0];
      const width = textWidth(m.name, font);
      const left = clamp(px - width / 2, area.x, Math.max(area.x, area.x + area.width - width));
      let row = rowEnds.findIndex((end) => left > end + 8);
      if (row < 0) row = rowEnds.length < 3 ? rowEnds.length : 2;
      rowEnds[row] = left + width;
      const top = area.y - 5 - 15 * row;
      all.push(stroke([[px, top + 2], [px, area.y + area.height]], line));
      all.push({ type: "text", x: left, y: top, style: { ...label, text: m.name, verticalAlign: "bottom" } });
    }
    let last = -Infinity;
    for (const m of along) {
      const py = at(x ? (x.lo + x.hi) / 2 : 0, m.at)[1];
      all.push(stroke([[area.x, py], [area.x + area.width, py]], line));
      const base = Math.max(py - 3, last + 14, area.y + 11);
      last = base;
      all.push({ type: "text", x: area.x + area.width - 3, y: base, style: { ...label, text: m.name, align: "right", verticalAlign: "bottom" } });
    }
    return all;
  }, false);
  return { series: list.length ? [draw] : [], top: names.length ? 15 * rowsNeeded(names, across, x, env.width - inset - 14, font) + 6 : 0 };
}

// rowsNeeded estimates over how many rows the names of vertical marks spread.
function rowsNeeded(names, across, x, width, font) {
  const ends = [];
  across.forEach((m, i) => {
    const size = textWidth(names[i], font);
    const left = clamp(((m.at - x.lo) / (x.hi - x.lo)) * width - size / 2, 0, Math.max(0, width - size));
    let row = ends.findIndex((end) => left > end + 8);
    if (row < 0) row = Math.min(ends.length, 2);
    ends[row] = left + size;
  });
  return ends.length;
}

// gridBox is where ECharts puts a plot with its axes: top pixels for marks.
function gridBox(top = 0) {
  return { left: 2, right: 14, top: 10 + top, bottom: 4, outerBoundsMode: "same", outerBoundsContain: "all" };
}

// runs splits places into pieces without a missing value.
function runs(n, ok) {
  const all = [];
  let piece = null;
  for (let i = 0; i < n; i++) {
    if (!ok(i)) piece = null;
    else if (piece) piece.push(i);
    else all.push((piece = [i]));
  }
  return all;
}
