// A Scale maps an axis' values to the coordinates that ECharts sees: the values
// themselves, or their decadic logarithms. It holds what is drawn (lo to hi) and
// where the ticks are.
class Scale {
  // values are all that is drawn; options: zoom ([lo, hi] in coordinates), zero
  // (from 0), tight (from the least to the greatest value), size (pixels).
  constructor(axis, values, options = {}) {
    this.log = !!axis.log;
    const seen = values.filter((v) => finite(v) && (!this.log || v > 0)).map((v) => this.to(v));
    let lo = seen.reduce((a, b) => Math.min(a, b), Infinity);
    let hi = seen.reduce((a, b) => Math.max(a, b), -Infinity);
    if (lo > hi) [lo, hi] = [0, 1];
    if (options.zero && !this.log) [lo, hi] = [Math.min(lo, 0), Math.max(hi, 0)];
    // An axis that almost begins at 0 begins there.
    if (!this.log && lo > 0 && lo < 0.1 * hi) lo = 0;
    if (lo === hi) [lo, hi] = [lo - (Math.abs(lo) * 0.1 || 0.5), hi + (Math.abs(hi) * 0.1 || 0.5)];
    const bounded = !!(axis.low || axis.high);
    const low = axis.low || 0;
    const high = axis.high || 0;
    this.count = clamp(Math.round((options.size || 400) / 75), 2, 8);
    if (bounded && low < high && (!this.log || high > 0)) {
      if (!this.log || low > 0) lo = this.to(low);
      hi = this.to(high);
    } else if (!options.tight && this.log) {
      [lo, hi] = [lo - 0.03 * (hi - lo), hi + 0.03 * (hi - lo)];
    } else if (!options.tight) {
      const step = niceStep((hi - lo) / this.count);
      // A little air, unless the axis stands on 0.
      const air = (v, by) => (v === 0 ? 0 : v + by);
      lo = Math.floor(air(lo, -0.02 * (hi - lo)) / step + 1e-9) * step;
      hi = Math.ceil(air(hi, 0.02 * (hi - lo)) / step - 1e-9) * step;
    }
    this.full = [lo, hi];
    [this.lo, this.hi] = options.zoom || this.full;
    this.ticks = this.log ? this.logTicks() : this.linearTicks(this.lo, this.hi);
  }

  to(v) {
    return !finite(v) ? NaN : this.log ? (v > 0 ? Math.log10(v) : NaN) : v;
  }

  from(c) {
    return this.log ? 10 ** c : c;
  }

  linearTicks(lo, hi) {
    this.step = niceStep((hi - lo) / this.count);
    const all = [];
    for (let i = Math.ceil(lo / this.step - 1e-9); i * this.step <= hi + 1e-9 * this.step; i++) all.push(i * this.step);
    return all;
  }

  logTicks() {
    const decades = this.hi - this.lo;
    if (decades < 0.7) return this.linearTicks(10 ** this.lo, 10 ** this.hi).filter((v) => v > 0).map(Math.log10);
    const every = Math.max(1, Math.ceil(decades / this.count));
    const inner = decades > 3 ? [1] : [1, 2, 5];
    const all = [];
    for (let e = Math.floor(this.lo); e <= this.hi; e++) {
      if (e % every !== 0) continue;
      for (const m of inner) {
        const c = e + Math.log10(m);
        if (c >= this.lo - 1e-9 && c <= this.hi + 1e-9) all.push(c);
      }
    }
    return all;
  }

  // label writes a tick.
  label(c) {
    const v = this.from(c);
    const size = Math.abs(v);
    if (size < 1e-12) return "0";
    if (size >= 1e5) return sign(new Intl.NumberFormat("en-US", { notation: "compact", maximumSignificantDigits: 4 }).format(v));
    if (this.log && !this.step) return sign(size < 0.99e-4 ? v.toExponential(0) : digits.format(v));
    const decimals = clamp(Math.ceil(-Math.log10(this.step) - 1e-9), 0, 12);
    if (decimals > 5) return sign(v.toExponential(2));
    return sign(v.toLocaleString("en-US", { minimumFractionDigits: decimals, maximumFractionDigits: decimals }));
  }
}

// niceStep returns 1, 2, 5 or 10 times a power of ten: the nearest to v by ratio.
function niceStep(v) {
  const power = 10 ** Math.floor(Math.log10(v));
  const lead = v / power;
  return (lead < Math.SQRT2 ? 1 : lead < Math.sqrt(10) ? 2 : lead < Math.sqrt(50) ? 5 : 10) * power;
}

// valueAxis is a scale as ECharts' option. side is "x" or "y".
function valueAxis(scale, name, side, env) {
  return {
    type: "value", min: scale.lo, max: scale.hi, animation: false,
    name, nameLocation: "middle", nameGap: 29, nameTextStyle: { color: env.ink.muted, fontSize: env.size },
    axisLabel: {
      customValues: scale.ticks, formatter: (c) => scale.label(c), color: env.ink.muted, fontSize: env.size,
      hideOverlap: true, margin: 7,
    },
    axisTick: { show: side === "x", customValues: scale.ticks, length: 4, lineStyle: { color: env.ink.axis } },
    axisLine: { show: side === "x", onZero: false, lineStyle: { color: env.ink.axis } },
    splitLine: { show: side === "y", lineStyle: { color: env.ink.grid } },
  };
}

// namesWidth is what the names of categories beside a plot take, up to a third.
function namesWidth(names, env) {
  const widest = Math.max(0, ...names.map((n) => textWidth(n, `${env.size}px ${env.ink.font}`)));
  return Math.ceil(Math.min(widest + 2, 230, env.width * 0.34));
}

// categoryAxis is a list of names as ECharts' option; of y, the first is on top.
function categoryAxis(names, name, side, env, options) {
  return {
    type: "category", data: names, inverse: side === "y" && !options.upwards, animation: false,
    name, nameLocation: "middle", nameGap: 29, nameTextStyle: { color: env.ink.muted, fontSize: env.size },
    axisLabel: {
      color: env.ink.text, fontSize: env.size, lineHeight: Math.round(env.size * 1.25), margin: 8,
      width: options.width, overflow: options.overflow || "break", rotate: options.rotate || 0, interval: options.interval,
    },
    axisTick: { show: false },
    axisLine: { show: false },
    splitLine: { show: false },
  };
}
