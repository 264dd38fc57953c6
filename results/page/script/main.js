const waiting = new Map();
const near = new IntersectionObserver((entries) => {
  for (const { isIntersecting, target } of entries) if (isIntersecting && waiting.has(target)) draw(target, waiting.get(target));
}, { rootMargin: "600px 0px" });

function draw(element, figure) {
  waiting.delete(element);
  near.unobserve(element);
  dispose(element);
  const view = new View(element, figure);
  views.set(element, view);
  if (printing) view.toPaper(true);
}

function update(element, figure) {
  const view = views.get(element);
  if (view) view.set(figure);
  else if (waiting.has(element)) waiting.set(element, figure);
  else draw(element, figure);
}

function lazy(element, figure) {
  waiting.set(element, figure);
  near.observe(element);
}

function dispose(element) {
  waiting.delete(element);
  near.unobserve(element);
  views.get(element)?.dispose();
  views.delete(element);
}

window.Overnight = { draw, update, lazy, dispose, sortable, fold, theme, themeButton };
