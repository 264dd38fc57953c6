// Tiles are numbers that stand for themselves: a list of words in place of a plot.
class Tiles {
  constructor(view, panel, paper) {
    Object.assign(this, { view, panel, zoom: {} });
    this.list = make("dl", { class: "figure-tiles" });
    this.element = make("div", { class: "figure-panel" }, paper && view.figure.panels.length > 1 ? make("p", { class: "figure-panel-name", text: panel.name }) : null, this.list);
  }

  draw() {
    const text = JSON.stringify(this.panel.tiles);
    if (text === this.drawn) return; // what somebody has selected stays selected
    this.drawn = text;
    this.list.replaceChildren(...this.panel.tiles.map((tile) => {
      const box = make("div", { class: "figure-tile" },
        make("dt", { text: tile.label }), make("dd", { class: "figure-tile-value", text: tile.value }),
        tile.note ? make("dd", { class: "figure-tile-note", text: tile.note }) : null);
      if (tile.color >= 0) box.style.borderLeftColor = look(tile).color;
      return box;
    }));
  }

  name() {}

  dispose() {}
}
