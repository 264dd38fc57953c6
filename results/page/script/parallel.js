// Parallel coordinates: an axis for each dimension, a line for each row, coloured
// by the last dimension. Intervals on axes are chosen with the pointer or in the
// fields below the plot.

function dimScale(panel, d, env) {
  const dim = panel.dims[d];
  const n = dim.categories?.length || 0;
  if (n) return { lo: n > 1 ? 0 : -1, hi: n > 1 ? n - 1 : 1, to: (v) => (finite(v) ? v : NaN), from: (c) => c, ticks: dim.categories.map((_, i) => i), label: (c) => dim.categories[Math.round(c)] };
  return new Scale(dim, panel.rows.map((r) => r[d]), { tight: true, size: env.narrow ? 240 : env.height });
}

const dimValue = (dim, v) => (!finite(v) ? "\u2013" : dim.categories?.length ? dim.categories[v] : number(v));

// chosen tells whether a row is within all intervals (by dimension, in
// coordinates; null: all).
function chosen(row, scales, intervals) {
  return intervals.every((pair, d) => {
    if (!pair) return true;
    const c = scales[d].to(row[d]);
    return c >= pair[0] - 1e-9 && c <= pair[1] + 1e-9;
  });
}

function drawParallel(panel, _, env) {
  const scales = panel.dims.map((_, d) => dimScale(panel, d, env));
  const last = panel.dims.length - 1;
  const named = panel.dims[last].categories;
  const ramp = named?.length ? null : rampOf({ better: panel.better || "high", grid_label: panel.dims[last].label }, panel.rows.map((r) => r[last]));
  const colorOf = (v) => (ramp ? ramp.of(v) : finite(v) ? colors[v % colors.length] : missing);
  const many = panel.rows.length > 300;
  const axis = panel.dims.map((dim, d) => ({
    dim: d, id: `dim-${d}`, type: "value", min: scales[d].lo, max: scales[d].hi, name: wrap(dim.label, env.width / (env.narrow ? 1.2 : panel.dims.length) - 8, `600 ${env.size}px ${env.ink.font}`), nameLocation: env.narrow ? "start" : "end", nameGap: 12,
    nameTextStyle: { color: env.ink.text, fontSize: env.size, fontWeight: 600, lineHeight: env.size + 2, align: env.narrow ? "left" : d === last && last > 1 ? "right" : "center", padding: !env.narrow && d === last ? [0, -50, 0, 0] : 0 },
    axisLabel: {
      customValues: scales[d].ticks, formatter: (c) => scales[d].label(c), color: env.ink.text, fontSize: env.size, hideOverlap: true,
      textBorderColor: env.ink.paper, textBorderWidth: 3,
    },
    axisTick: { customValues: scales[d].ticks, length: 4, lineStyle: { color: env.ink.axis } },
    axisLine: { lineStyle: { color: env.ink.axis, width: 1.2 } },
    areaSelectStyle: { width: 18, borderWidth: 1, borderColor: env.ink.text, color: env.ink.mark, opacity: 0.25 },
  }));
  const tip = (row, at) => ({ ...at, title: panel.dims[last].label + " " + dimValue(panel.dims[last], row[last]), rows: panel.dims.slice(0, -1).map((dim, d) => ({ name: dim.label, value: dimValue(dim, row[d]) })) });
  return {
    option: {
      parallel: env.narrow
        ? { layout: "vertical", left: 16, right: 24, top: 34, bottom: 26 }
        : { layout: "horizontal", left: 46, right: 60, top: 48, bottom: 14 },
      parallelAxis: axis,
      series: [{
        type: "parallel", animation: false, smooth: false, inactiveOpacity: 0.04, activeOpacity: many ? 0.5 : 0.75, z: 2, progressive: 0,
        emphasis: { lineStyle: { width: 3, opacity: 1 } },
        data: panel.rows.map((row) => ({
          value: row.map((v, d) => { const c = scales[d].to(v); return finite(c) ? c : "-"; }),
          lineStyle: { color: colorOf(row[last]), width: many ? 1 : 1.4, opacity: many ? 0.5 : 0.75 },
        })),
      }],
    },
    x: null, y: null, above: "", ramp, scales, height: env.narrow ? panel.dims.length * 74 + 60 : 380,
    at: () => null, stops: () => [], row: (i, at) => tip(panel.rows[i], at),
  };
}

// filters makes the fields with which intervals are chosen: plot is the Plot of
// the panel.
function filters(plot) {
  const { panel } = plot;
  const count = make("p", { class: "figure-count", role: "status" });
  const fields = panel.dims.map((dim, d) => {
    const change = () => plot.choose(d, read());
    let read;
    let write;
    let inputs;
    if (dim.categories?.length) {
      const select = make("select", { on: { change } }, make("option", { value: "", text: "all" }), ...dim.categories.map((c, i) => make("option", { value: i, text: c })));
      read = () => (select.value === "" ? null : [Number(select.value) - 0.4, Number(select.value) + 0.4]);
      write = (pair) => {
        const within = pair ? dim.categories.map((_, i) => i).filter((i) => i >= pair[0] && i <= pair[1]) : [];
        select.value = within.length === 1 ? within[0] : "";
      };
      inputs = [make("label", {}, make("span", { text: dim.label }), select)];
    } else {
      const field = (text) => make("input", { type: "number", step: "any", "aria-label": `${dim.label} ${text}`, placeholder: text, on: { change } });
      const [from, to] = [field("from"), field("to")];
      const bound = (input, other) => (input.value === "" ? other : plot.drawing.scales[d].to(Number(input.value)));
      read = () => (from.value === "" && to.value === "" ? null : [bound(from, -Infinity), bound(to, Infinity)].map((v, i) => (Number.isNaN(v) ? [-Infinity, Infinity][i] : v)));
      write = (pair) => {
        const text = (c) => (finite(c) ? Number(plot.drawing.scales[d].from(c).toPrecision(4)) : "");
        from.value = pair ? text(pair[0]) : "";
        to.value = pair ? text(pair[1]) : "";
      };
      inputs = [make("fieldset", {}, make("legend", { text: dim.label }), from, to)];
    }
    return { inputs, write };
  });
  const clear = make("button", { type: "button", class: "button", text: "Choose all", on: { click: () => plot.clear() } });
  const element = make("div", { class: "figure-filters" },
    make("div", { class: "figure-filter-fields" }, ...fields.flatMap((f) => f.inputs)), make("div", { class: "figure-filter-foot" }, clear, count));
  return {
    element,
    show: () => {
      fields.forEach((f, d) => f.write(plot.intervals[d]));
      count.textContent = `${plot.rows().length.toLocaleString("en-US")} of ${panel.rows.length.toLocaleString("en-US")} rows are chosen. Drag along an axis or fill in the fields.`;
    },
  };
}
