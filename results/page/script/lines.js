// A drawing is what a kind of panel makes of its data:
//   option   ECharts' option        height, most   pixels; most: the greatest width
//   x, y     Scales, or null where there are categories; which of them can be zoomed
//   above    the label of what goes upwards, written over the plot
//   ramp     colours of a grid: {list, lo, hi, label, ends}
//   at(x, y, pixels)   what is under the pointer, as a tip, or null
//   stops()  tips in the order in which the arrow keys go through them
// A tip is {x, y, title, rows: [{series, name, value}], line}. A replay leaves the
// axes as they are at its end: env.whole has the series as they are there.

function xyScales(panel, env, options = {}) {
  const side = (axis) => panel.marks?.filter((m) => m.axis === axis).map((m) => m.at) || [];
  const xs = env.whole.flatMap((s) => ever(s.x, s.frames_x)).concat(side("x"));
  const ys = (options.ys || env.whole.flatMap((s) => [...ever(s.y, s.frames), ...(s.low || []), ...(s.high || [])])).concat(side("y"));
  return {
    x: new Scale(panel.x, xs, { tight: !options.loose, zoom: env.zoom.x, size: env.width }),
    y: new Scale(panel.y, ys, { zero: options.zero, zoom: env.zoom.y, size: env.height * 1.3 }),
  };
}

// places returns the coordinates at which any of the series has a value.
function places(shown, x) {
  const all = new Set();
  for (const s of shown) s.x.forEach((v, i) => finite(s.y[i]) && finite(x.to(v)) && all.add(v));
  return [...all].sort((a, b) => a - b);
}

function nearest(sorted, value, to) {
  let lo = 0;
  let hi = sorted.length - 1;
  while (hi - lo > 1) {
    const middle = (lo + hi) >> 1;
    if (to(sorted[middle]) < value) lo = middle;
    else hi = middle;
  }
  return Math.abs(to(sorted[lo]) - value) <= Math.abs(to(sorted[hi]) - value) ? lo : hi;
}

// column is the tip of all series at a place; of those without a value just there,
// the nearest within a hundredth of the axis.
function column(panel, shown, place, x, env, stacked) {
  const rows = [];
  for (const s of shown) {
    let i = s.x.indexOf(place);
    if (i < 0) {
      i = s.x.reduce((best, v, k) => (best < 0 || Math.abs(x.to(v) - x.to(place)) < Math.abs(x.to(s.x[best]) - x.to(place)) ? k : best), -1);
      if (i < 0 || Math.abs(x.to(s.x[i]) - x.to(place)) > 0.01 * (x.hi - x.lo)) continue;
    }
    if (!finite(s.y[i])) continue;
    rows.push({ series: s, name: s.name, value: interval(s.y[i], s.low?.[i], s.high?.[i]), note: s.text?.[i], y: s.y[i] });
  }
  if (stacked) rows.reverse();
  else rows.sort((a, b) => b.y - a.y);
  return { x: x.to(place), y: null, title: `${panel.x.label} ${number(place)}`, rows, line: true };
}

function columns(panel, shown, x, env, stacked) {
  const all = places(shown, x);
  return {
    at: (cx) => (all.length ? column(panel, shown, all[nearest(all, cx, (v) => x.to(v))], x, env, stacked) : null),
    stops: () => all.filter((v) => x.to(v) >= x.lo && x.to(v) <= x.hi).map((v) => column(panel, shown, v, x, env, stacked)),
  };
}

function drawLines(panel, shown, env) {
  const { x, y } = xyScales(panel, env);
  const m = marks(panel.marks || [], x, y, env);
  const series = [...m.series];
  shown.forEach((s, k) => {
    const style = look(s);
    if (s.low) {
      const ok = (i) => finite(x.to(s.x[i])) && finite(s.low[i]) && finite(s.high[i]);
      series.push(layer(1, (at) => runs(s.x.length, ok).map((piece) => ({
        type: "polygon",
        shape: {
          points: [
            ...piece.map((i) => at(x.to(s.x[i]), y.to(s.high[i]))),
            // What a logarithmic axis can't show goes to its lower end.
            ...[...piece].reverse().map((i) => at(x.to(s.x[i]), finite(y.to(s.low[i])) ? y.to(s.low[i]) : y.lo)),
          ],
        },
        style: { fill: style.color, opacity: env.ink.band },
      }))));
    }
    const places = env.whole[k].x.length;
    const every = Math.max(1, Math.round(places / 9));
    const few = places <= 14;
    const last = panel.replay ? s.x.findLastIndex((v, i) => finite(x.to(v)) && finite(y.to(s.y[i]))) : -1;
    const start = Math.round(((k + 0.5) * every) / Math.max(1, shown.length));
    series.push({
      type: "line", animation: false, silent: true, z: 3, clip: true, connectNulls: false,
      data: s.x.map((v, i) => [x.to(v), finite(y.to(s.y[i])) ? y.to(s.y[i]) : null]),
      showSymbol: true, showAllSymbol: true, symbol: "path://" + style.shape, symbolKeepAspect: true,
      symbolSize: (_, p) => (p.dataIndex === last ? 9 : few || p.dataIndex % every === start % every ? 7 : 0),
      lineStyle: { color: style.color, width: 1.8, type: style.dash || "solid", cap: "round", join: "round" },
      itemStyle: { color: style.color, borderColor: env.ink.paper, borderWidth: few ? 0.8 : 0 },
    });
  });
  return {
    option: { grid: gridBox(m.top), xAxis: valueAxis(x, panel.x.label, "x", env), yAxis: valueAxis(y, "", "y", env), series },
    x, y, above: panel.y.label, height: env.height + m.top, ...columns(panel, shown, x, env, false),
  };
}

function drawAreas(panel, shown, env) {
  const n = Math.max(0, ...shown.map((s) => s.x.length));
  const floor = new Array(n).fill(0);
  const stack = shown.map((s) => {
    const low = floor.slice();
    s.y.forEach((v, i) => (floor[i] += finite(v) ? v : 0));
    return { s, low, high: floor.slice() };
  });
  const { x, y } = xyScales(panel, env, { ys: stack.flatMap((a) => [...a.low, ...a.high]), zero: true });
  const m = marks(panel.marks || [], x, y, env);
  const series = stack.map(({ s, low, high }) => layer(2, (at) => {
    const top = s.x.map((v, i) => at(x.to(v), high[i]));
    return [
      { type: "polygon", shape: { points: [...top, ...s.x.map((v, i) => at(x.to(v), low[i])).reverse()] }, style: { fill: look(s).color, opacity: 0.88 } },
      stroke(top, { stroke: env.ink.paper, lineWidth: 1.2 }),
    ];
  }));
  return {
    option: { grid: gridBox(m.top), xAxis: valueAxis(x, panel.x.label, "x", env), yAxis: valueAxis(y, "", "y", env), series: [...series, ...m.series] },
    x, y, above: panel.y.label, height: env.height + m.top, ...columns(panel, shown, x, env, true),
  };
}

// dots are the tips of single dots: the nearest within 18 pixels.
function dots(panel, shown, x, y) {
  const all = shown.flatMap((s) => s.y.map((_, i) => ({ s, i, x: x.to(s.x[i]), y: y.to(s.y[i]) })))
    .filter((d) => finite(d.x) && finite(d.y) && d.x >= x.lo && d.x <= x.hi && d.y >= y.lo && d.y <= y.hi);
  const tip = (d) => ({
    x: d.x, y: d.y, title: d.s.text?.[d.i] || d.s.name,
    rows: [{ series: d.s, name: panel.x.label, value: number(d.s.x[d.i]) }, { name: panel.y.label, value: interval(d.s.y[d.i], d.s.low?.[d.i], d.s.high?.[d.i]) }],
  });
  return {
    at: (cx, cy, pixels) => {
      const [px, py] = pixels(cx, cy);
      let best = null;
      let least = 18;
      for (const d of all) {
        const [dx, dy] = pixels(d.x, d.y);
        const distance = Math.hypot(dx - px, dy - py);
        if (distance < least) [best, least] = [d, distance];
      }
      return best && tip(best);
    },
    stops: () => [...all].sort((a, b) => a.x - b.x).map(tip),
  };
}

function dotSeries(s, x, y, env, z) {
  const style = look(s);
  const many = s.y.length > 400;
  return {
    type: "scatter", animation: false, silent: true, z, clip: true, symbol: "path://" + style.shape, symbolKeepAspect: true,
    symbolSize: many ? 5 : s.y.length > 9 ? 7 : 10, data: s.y.map((v, i) => [x.to(s.x[i]), y.to(v)]).filter(([a, b]) => finite(a) && finite(b)),
    itemStyle: { color: style.color, opacity: many ? 0.55 : 0.8, borderColor: env.ink.paper, borderWidth: 0.6 },
  };
}

function drawScatter(panel, shown, env) {
  const { x, y } = xyScales(panel, env, { loose: true });
  const m = marks(panel.marks || [], x, y, env);
  const whiskers = shown.filter((s) => s.low).map((s) => layer(2, (at) => s.y.flatMap((_, i) => {
    if (!finite(s.low[i]) || !finite(s.high[i]) || !finite(x.to(s.x[i]))) return [];
    return [stroke([at(x.to(s.x[i]), y.to(s.low[i])), at(x.to(s.x[i]), y.to(s.high[i]))], { stroke: look(s).color, lineWidth: 1.2, opacity: 0.6 })];
  })));
  return {
    option: {
      grid: gridBox(m.top), xAxis: { ...valueAxis(x, panel.x.label, "x", env), splitLine: { show: true, lineStyle: { color: env.ink.grid } } },
      yAxis: valueAxis(y, "", "y", env), series: [...m.series, ...whiskers, ...shown.map((s) => dotSeries(s, x, y, env, 3))],
    },
    x, y, above: panel.y.label, height: env.height + m.top, ...dots(panel, shown, x, y),
  };
}
