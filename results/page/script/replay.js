// Sliders of one label, on all of a page, stand at one place: a value of the label's
// unit, or Infinity at the end, where they stand at first.
class Clock {
  static of(label) {
    if (!Clock.all.has(label)) Clock.all.set(label, new Clock());
    return Clock.all.get(label);
  }

  constructor() {
    this.place = Infinity;
    this.sliders = new Set();
    this.frame = 0;
  }

  get playing() {
    return this.frame !== 0;
  }

  go(place) {
    this.place = place;
    for (const slider of this.sliders) slider.show();
  }

  // play goes through the places in six seconds, from a number of them on; in twelve
  // steps where the reader wants little motion.
  play(slider, from) {
    const last = slider.at.length - 1;
    const steps = stillness.matches ? Math.min(12, last) : last;
    const begun = performance.now() - (from / last) * playTime;
    const tick = (now) => {
      const part = clamp((now - begun) / playTime, 0, 1);
      const place = slider.place(Math.round((Math.floor(part * steps) / steps) * last));
      this.frame = part < 1 && this.sliders.size ? requestAnimationFrame(tick) : 0;
      if (place !== this.place || !this.frame) this.go(place);
    };
    this.frame = requestAnimationFrame(tick);
    this.go(slider.place(from));
  }

  stop() {
    cancelAnimationFrame(this.frame);
    this.frame = 0;
    this.go(this.place);
  }
}
Clock.all = new Map();

const playTime = 6000; // milliseconds
const stillness = matchMedia("(prefers-reduced-motion: reduce)");

// A Slider is the control of a panel that has a replay.
class Slider {
  constructor(view, { label, at }) {
    Object.assign(this, { view, label, at, seen: true });
    this.clock = Clock.of(label);
    this.range = make("input", { type: "range", min: 0, max: at.length - 1, step: 1, on: { input: () => {
      const to = Number(this.range.value);
      this.clock.stop();
      this.clock.go(this.place(to));
    } } });
    this.button = make("button", { type: "button", class: "button figure-play", on: { click: () => {
      if (this.clock.playing) this.clock.stop();
      else this.clock.play(this, this.index < at.length - 1 ? this.index : 0);
    } } });
    this.told = make("span", { class: "figure-place", "aria-hidden": "true" });
    // The longest text keeps its room, so that the slider does not move under the hand.
    this.told.style.minWidth = Math.max(...[0, at.length - 1].map((i) => this.words(i).length)) + "ch";
    this.element = make("div", { class: "figure-replay" }, this.button, make("label", { class: "figure-slide" }, make("span", { text: "Replay" }), this.range), this.told);
    // What nobody sees is drawn when it comes near.
    this.watch = new IntersectionObserver((entries) => {
      this.seen = entries[entries.length - 1].isIntersecting;
      if (this.seen) this.draw();
    }, { rootMargin: "100px 0px" });
    this.watch.observe(view.body);
    this.clock.sliders.add(this);
    this.show(true);
  }

  // place is what the clock says at one of the slider's stops.
  place(i) {
    return i >= this.at.length - 1 ? Infinity : this.at[i];
  }

  // index is the last stop that the clock has reached.
  get index() {
    const { place } = this.clock;
    const after = this.at.findIndex((v) => v > place);
    return place === Infinity || after < 0 ? this.at.length - 1 : Math.max(0, after - 1);
  }

  words(i) {
    return `${this.label} ${number(this.at[i])}`;
  }

  // show moves the control to where the clock stands, and the picture with it,
  // unless that is drawn there already.
  show(drawn) {
    const i = this.index;
    this.range.value = i;
    this.range.setAttribute("aria-valuetext", this.words(i));
    this.told.textContent = this.words(i);
    this.button.textContent = this.clock.playing ? "Pause" : "Play";
    if (drawn) this.drawn = i;
    else if (this.seen) this.draw();
  }

  draw() {
    if (this.drawn === this.index) return;
    this.drawn = this.index;
    this.view.draw();
  }

  dispose() {
    this.watch.disconnect();
    this.clock.sliders.delete(this);
    if (this.clock.playing && !this.clock.sliders.size) this.clock.stop();
  }
}

// seen is a series as it was at a place of its panel's replay: lines end there, bars
// and dots have their frame. Intervals are those at the end, and shown there.
function seen(panel, s, k) {
  const { at } = panel.replay;
  if (k >= at.length - 1) return s;
  if (panel.kind === "lines") {
    const after = s.x.findIndex((v) => v > at[k]);
    const cut = (list) => (after < 0 ? list : list?.slice(0, after));
    return { ...s, x: cut(s.x), y: cut(s.y), low: cut(s.low), high: cut(s.high), text: cut(s.text) };
  }
  if (!s.frames && !s.frames_x) return s;
  return { ...s, x: s.frames_x?.[k] ?? s.x, y: s.frames?.[k] ?? s.y, low: null, high: null, text: panel.kind === "scatter" ? s.text : null };
}

// ever is every value that a series has, at the end and on the way.
const ever = (list, frames) => (frames ? list.concat(...frames) : list);
