// The palette and the scales are those of package figure; a test compares them.
const colors = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#F0E442"];
const grey = "#808080";
const missing = "#BDBDBD";
const sequential = ["#440154", "#482878", "#3E4989", "#31688E", "#26828E", "#1F9E89", "#35B779", "#6DCD59", "#B4DE2C", "#FDE725"];
const diverging = ["#2166AC", "#67A9CF", "#D1E5F0", "#F7F7F7", "#FDDBC7", "#EF8A62", "#B2182B"];

// Shapes tell series apart beside their colours: paths in a box from -1 to 1.
const shapes = [
  "M-1,0A1,1,0,1,1,1,0A1,1,0,1,1,-1,0Z",
  "M-0.9,-0.9H0.9V0.9H-0.9Z",
  "M0,-1L1,0.8H-1Z",
  "M0,-1.1L1.1,0L0,1.1L-1.1,0Z",
  "M0,1L1,-0.8H-1Z",
  "M-0.35,-1H0.35V-0.35H1V0.35H0.35V1H-0.35V0.35H-1V-0.35H-0.35Z",
  "M-1,-0.5L-0.5,-1L0,-0.5L0.5,-1L1,-0.5L0.5,0L1,0.5L0.5,1L0,0.5L-0.5,1L-1,0.5L-0.5,0Z",
];

const finite = (v) => typeof v === "number" && Number.isFinite(v);
const clamp = (v, lo, hi) => Math.min(hi, Math.max(lo, v));

// look gives a series its colour, its shape and, from the second round of the
// palette on, dashes of its own. The grey ones of a panel (nth) differ by shape.
function look(series) {
  const n = series.color;
  if (n < 0) return { color: grey, shape: shapes[[0, 6, 1, 3][(series.nth || 0) % 4]], dash: series.dashed ? [5, 4] : [2, 3] };
  const round = Math.floor(n / colors.length);
  const dash = series.dashed ? [6, 4] : [null, [9, 3], [2, 2], [9, 3, 2, 3]][round % 4];
  return { color: colors[n % colors.length], shape: shapes[(n + round) % shapes.length], dash };
}

// blend returns the colour at t, from 0 to 1, of a list of colours.
function blend(list, t) {
  const at = clamp(t, 0, 1) * (list.length - 1);
  const i = Math.min(list.length - 2, Math.floor(at));
  const part = (c, k) => parseInt(c.slice(1 + 2 * k, 3 + 2 * k), 16);
  const mix = [0, 1, 2].map((k) => Math.round(part(list[i], k) + (at - i) * (part(list[i + 1], k) - part(list[i], k))));
  return "#" + mix.map((v) => v.toString(16).padStart(2, "0")).join("");
}

// inkOn returns black or white: what is read better on a colour (WCAG's relative
// luminance; both are equally legible at 0.179).
function inkOn(color) {
  const linear = [1, 3, 5].map((i) => {
    const v = parseInt(color.slice(i, i + 2), 16) / 255;
    return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2] > 0.179 ? "#000000" : "#ffffff";
}

const digits = new Intl.NumberFormat("en-US", { maximumSignificantDigits: 4 });
const integers = new Intl.NumberFormat("en-US");
const sign = (text) => text.replace(/^-/, "\u2212").replace(/e-/, "e\u2212").replace(/e\+/, "e");

// number writes four significant digits, all of a whole number, "–" for what is
// missing.
function number(v) {
  if (!finite(v)) return "\u2013";
  const size = Math.abs(v);
  return sign(size !== 0 && (size < 1e-4 || size >= 1e7) ? v.toExponential(2) : Number.isInteger(v) ? integers.format(v) : digits.format(v));
}

function interval(y, low, high) {
  return finite(low) && finite(high) ? `${number(y)} [${number(low)}, ${number(high)}]` : number(y);
}

// make makes an element: attributes by name, "text" and "on" aside, then children.
function make(tag, attributes = {}, ...children) {
  const e = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "text") e.textContent = value;
    else if (name === "on") for (const [event, f] of Object.entries(value)) e.addEventListener(event, f);
    else if (value === true) e.setAttribute(name, "");
    else if (value !== false && value != null) e.setAttribute(name, value);
  }
  e.append(...children.filter((c) => c != null));
  return e;
}

function svg(tag, attributes, ...children) {
  const e = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) if (value != null) e.setAttribute(name, value);
  e.append(...children);
  return e;
}

let made = 0;
const freshID = (stem) => `${stem}-${++made}`;

const pen = document.createElement("canvas").getContext("2d");

// wrap breaks a text at spaces into lines of so many pixels.
function wrap(text, width, font) {
  const lines = [];
  for (const word of text.split(" ")) {
    const longer = lines.length ? `${lines[lines.length - 1]} ${word}` : word;
    if (lines.length && textWidth(longer, font) <= width) lines[lines.length - 1] = longer;
    else lines.push(word);
  }
  return lines.join("\n");
}

// textWidth measures in pixels what a text takes on a canvas.
function textWidth(text, font) {
  pen.font = font;
  return pen.measureText(text).width;
}
