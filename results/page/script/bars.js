// lanes tells for each category what lies beside each other in it: series, by their
// index, or stacks of them. A category's room is shared among those alone that have
// a value in it.
function lanes(panel, whole) {
  return panel.x.categories.map((_, c) => {
    const all = new Map();
    whole.forEach((s, i) => {
      if (![s.y, ...(s.frames || [])].some((y) => finite(y[c]))) return;
      const key = s.stack ? "stack " + s.stack : i;
      if (!all.has(key)) all.set(key, []);
      all.get(key).push(i);
    });
    return [...all.values()];
  });
}

// segments lays the values of a lane end to end.
function segments(lane, ys, c) {
  let end = 0;
  return lane.filter((i) => finite(ys[i][c])).map((i) => ({ i, from: end, to: (end += ys[i][c]) }));
}

// reach is every value that the axis must hold, at the end and on the way.
function reach(rooms, whole) {
  const times = Math.max(0, ...whole.map((s) => s.frames?.length || 0));
  const values = [];
  for (let k = -1; k < times; k++) {
    const ys = whole.map((s) => (k < 0 ? s.y : s.frames?.[k] || s.y));
    rooms.forEach((room, c) => room.forEach((lane) => values.push(...segments(lane, ys, c).map((piece) => piece.to))));
  }
  return values.concat(...whole.map((s) => [...(s.low || []), ...(s.high || [])]));
}

// Bars and intervals run from left to right: categories downwards, values on x.
function drawCategories(panel, shown, env) {
  const names = panel.x.categories;
  const rooms = lanes(panel, env.whole);
  const bars = panel.kind === "bars";
  const ys = shown.map((s) => s.y);
  const values = reach(rooms, env.whole).concat((panel.marks || []).map((m) => m.at));
  const x = new Scale(panel.y, values, { zero: bars, zoom: env.zoom.x, size: env.width * 0.7 });
  const m = marks(panel.marks || [], x, null, env, namesWidth(names, env) + 10);
  const most = Math.max(1, ...rooms.map((r) => r.length));
  const each = env.whole.some((s) => s.stack) ? 17 : bars ? 13 : 14;
  const pitch = Math.max(names.length > 40 ? 18 : names.length > 12 ? 26 : 30, most * each + 10);
  const axis = valueAxis(x, panel.y.label, "x", env);
  axis.splitLine = { show: true, lineStyle: { color: env.ink.grid } };

  const draw = layer(3, (at, area) => names.flatMap((_, c) => {
    const center = at(x.lo, c)[1];
    const step = Math.min(each, (area.height / names.length - 4) / Math.max(1, rooms[c].length));
    return rooms[c].flatMap((lane, k) => {
      const py = center + (k - (rooms[c].length - 1) / 2) * step;
      return segments(lane, ys, c).flatMap((piece) => (bars ? bar(shown[piece.i], piece, c, py, step, x, at, env) : dot(shown[piece.i], c, py, x, at, env)));
    });
  }));
  const stripes = layer(-1, (at, area) => names.flatMap((_, c) => {
    if (c % 2 === 0) return [];
    const height = area.height / names.length;
    return [{ type: "rect", shape: { x: area.x, y: at(x.lo, c)[1] - height / 2, width: area.width, height }, style: { fill: env.ink.stripe } }];
  }));
  const row = (s, c) => ({ series: s, name: s.name === names[c] ? panel.y.label : s.name, value: interval(s.y[c], s.low?.[c], s.high?.[c]), note: s.text?.[c] });
  const sum = (lane, c) => ({ name: `${shown[lane[0]].stack}, in all`, value: number(lane.reduce((total, i) => total + (finite(ys[i][c]) ? ys[i][c] : 0), 0)) });
  const tip = (c) => ({
    x: null, y: c, title: names[c],
    rows: rooms[c].flatMap((lane) => [...lane.map((i) => row(shown[i], c)), ...(lane.length > 1 ? [sum(lane, c)] : [])]),
  });
  return {
    option: {
      grid: gridBox(m.top), xAxis: axis,
      yAxis: categoryAxis(names, "", "y", env, { width: namesWidth(names, env), interval: names.length > 80 ? undefined : 0 }),
      series: [stripes, draw, ...m.series],
    },
    x, y: null, above: panel.x.label, height: clamp(names.length * pitch, 60, 2400) + 58 + m.top,
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

function bar(s, { from, to }, c, py, step, x, at, env) {
  const { color } = look(s);
  const begin = at(x.log ? x.lo : clamp(from, x.lo, x.hi), c)[0];
  const end = at(x.to(to), c)[0];
  const height = Math.max(3, step - 3);
  const shape = { x: Math.min(begin, end), y: py - height / 2, width: Math.max(s.stack ? 0 : 1, Math.abs(end - begin)), height };
  // ECharts draws with the elements of the last time: each has all of its style.
  const box = (shape, fill, fillOpacity, stroke) => ({ type: "rect", shape, style: { fill, fillOpacity, stroke, lineWidth: stroke ? 1 : 0 } });
  // The edge of a faint bar tells it from the paper.
  const inner = { x: shape.x + 0.5, y: shape.y + 0.5, width: Math.max(0, shape.width - 1), height: height - 1 };
  return [
    ...(s.faint ? [box(shape, env.ink.paper, 1, null), box(inner, color, 0.22, color)] : [box(shape, color, 0.85, null)]),
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
