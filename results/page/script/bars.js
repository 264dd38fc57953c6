// slots tells for each category which of the shown series have a value in it: a
// category's room is shared among those alone.
function slots(panel, shown) {
  return panel.x.categories.map((_, c) => shown.filter((s) => finite(s.y[c])));
}

// Bars and intervals run from left to right: categories downwards, values on x.
function drawCategories(panel, shown, env) {
  const names = panel.x.categories;
  const rooms = slots(panel, shown);
  const bars = panel.kind === "bars";
  const values = shown.flatMap((s) => [...s.y, ...(s.low || []), ...(s.high || [])]).concat((panel.marks || []).map((m) => m.at));
  const x = new Scale(panel.y, values, { zero: bars, zoom: env.zoom.x, size: env.width * 0.7 });
  const m = marks(panel.marks || [], x, null, env, namesWidth(names, env) + 10);
  const most = Math.max(1, ...rooms.map((r) => r.length));
  const each = bars ? 13 : 14;
  const row = Math.max(names.length > 40 ? 18 : names.length > 12 ? 26 : 30, most * each + 10);
  const axis = valueAxis(x, panel.y.label, "x", env);
  axis.splitLine = { show: true, lineStyle: { color: env.ink.grid } };

  const draw = layer(3, (at, area) => names.flatMap((_, c) => {
    const center = at(x.lo, c)[1];
    const step = Math.min(each, (area.height / names.length - 4) / Math.max(1, rooms[c].length));
    return rooms[c].flatMap((s, k) => {
      const py = center + (k - (rooms[c].length - 1) / 2) * step;
      return bars ? bar(s, c, py, step, x, at, env) : dot(s, c, py, x, at, env);
    });
  }));
  const stripes = layer(0, (at, area) => names.flatMap((_, c) => {
    if (c % 2 === 0) return [];
    const height = area.height / names.length;
    return [{ type: "rect", shape: { x: area.x, y: at(x.lo, c)[1] - height / 2, width: area.width, height }, style: { fill: env.ink.stripe } }];
  }));
  const tip = (c) => ({
    x: null, y: c, title: names[c],
    rows: rooms[c].map((s) => ({ series: s, name: s.name === names[c] ? panel.y.label : s.name, value: interval(s.y[c], s.low?.[c], s.high?.[c]), note: s.text?.[c] })),
  });
  return {
    option: {
      grid: gridBox(m.top), xAxis: axis,
      yAxis: categoryAxis(names, "", "y", env, { width: namesWidth(names, env), interval: names.length > 80 ? undefined : 0 }),
      series: [stripes, draw, ...m.series],
    },
    x, y: null, above: panel.x.label, height: clamp(names.length * row, 60, 2400) + 58 + m.top,
    at: (_, c) => (names[Math.round(c)] === undefined || !rooms[Math.round(c)].length ? null : tip(Math.round(c))),
    stops: () => names.map((_, c) => c).filter((c) => rooms[c].length).map(tip),
  };
}

// whisker is an interval, with ends where it is at least so many pixels long.
function whisker(s, c, py, x, at, style, least = 0) {
  const low = x.to(s.low?.[c]);
  const high = x.to(s.high?.[c]);
  if (!finite(low) || !finite(high)) return [];
  const [a, b] = [at(low, c)[0], at(high, c)[0]];
  const end = (px) => stroke([[px, py - 3.5], [px, py + 3.5]], style);
  return [stroke([[a, py], [b, py]], style), ...(b - a < least ? [] : [end(a), end(b)])];
}

function bar(s, c, py, step, x, at, env) {
  const style = look(s);
  const from = at(x.log ? x.lo : clamp(0, x.lo, x.hi), c)[0];
  const to = at(x.to(s.y[c]), c)[0];
  const height = Math.max(3, step - 3);
  return [
    { type: "rect", shape: { x: Math.min(from, to), y: py - height / 2, width: Math.max(1, Math.abs(to - from)), height }, style: { fill: style.color, opacity: 0.85 } },
    ...whisker(s, c, py, x, at, { stroke: env.ink.text, lineWidth: 1.2 }),
  ];
}

function dot(s, c, py, x, at, env) {
  const style = look(s);
  return [
    ...whisker(s, c, py, x, at, { stroke: style.color, lineWidth: 2.5, opacity: 0.75 }, Infinity),
    symbol(at(x.to(s.y[c]), c)[0], py, 9, style.shape, { fill: style.color, stroke: env.ink.paper, lineWidth: 1 }),
  ];
}
