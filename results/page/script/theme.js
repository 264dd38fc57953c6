const systemDark = matchMedia("(prefers-color-scheme: dark)");
const themeKey = "overnight-theme";
let printing = false;

// remembered reads or writes the choice; pages without storage forget it.
function remembered(name) {
  try {
    if (name === undefined) return localStorage.getItem(themeKey);
    if (name === "auto") localStorage.removeItem(themeKey);
    else localStorage.setItem(themeKey, name);
  } catch { /* no storage: the choice lasts as long as the page */ }
  return null;
}

function theme(name) {
  const root = document.documentElement;
  const now = () => (root.dataset.theme || (systemDark.matches ? "dark" : "light"));
  if (name === undefined) return now();
  if (name === "auto") delete root.dataset.theme;
  else root.dataset.theme = name;
  remembered(name);
  repaint();
  return now();
}

function repaint() {
  for (const view of views.values()) view.draw();
  document.dispatchEvent(new CustomEvent("overnight-theme", { detail: theme() }));
}

function themeButton(button) {
  const show = () => {
    button.setAttribute("aria-pressed", String(theme() === "dark"));
  };
  button.addEventListener("click", () => {
    const to = theme() === "dark" ? "light" : "dark";
    theme(to === (systemDark.matches ? "dark" : "light") ? "auto" : to);
  });
  document.addEventListener("overnight-theme", show);
  show();
}

// print puts the page on paper and back: everything drawn, in light colours, and
// what is closed, open.
let before = null;
function print(on) {
  if (on === printing) return;
  printing = on;
  const root = document.documentElement;
  if (on) {
    before = { theme: root.dataset.theme, closed: [...document.querySelectorAll("details:not([open])")] };
    root.dataset.theme = "light";
    before.closed.forEach((d) => (d.open = true));
    for (const [element, figure] of waiting) draw(element, figure);
  } else {
    if (before.theme) root.dataset.theme = before.theme;
    else delete root.dataset.theme;
    before.closed.forEach((d) => (d.open = false));
  }
  for (const view of views.values()) view.toPaper(on);
}

if (["light", "dark"].includes(remembered())) document.documentElement.dataset.theme = remembered();
systemDark.addEventListener("change", repaint);
addEventListener("beforeprint", () => print(true));
addEventListener("afterprint", () => print(false));
matchMedia("print").addEventListener("change", (e) => print(e.matches));
