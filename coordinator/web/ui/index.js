"use strict";
(() => {
  const { $, el, setText, listen, trouble, count, rate, duration, percent, when, plural, rows, announce, begin } = Dash;
  const body = $("list").tBodies[0];

  const name = (cell, s) => {
    if (!cell.firstChild) cell.append(el("a", {}), el("span", { class: "state" }));
    cell.firstChild.href = "/studies/" + encodeURIComponent(s.study);
    setText(cell.firstChild, s.study);
    setText(cell.lastChild, s.state);
    cell.lastChild.dataset.state = s.state;
  };

  const progress = (cell, s) => {
    if (!cell.firstChild) cell.append(el("progress", { max: "1" }), el("span", { class: "of" }));
    cell.firstChild.value = s.trials > 0 ? s.committed / s.trials : 0;
    cell.firstChild.setAttribute("aria-label", s.study);
    setText(cell.lastChild, count(s.committed) + " of " + count(s.trials));
  };

  const bad = (cell, s) => {
    const n = (s.failed || 0) + (s.dead || 0) + (s.overrun || 0);
    setText(cell, n ? count(n) : "");
    cell.classList.toggle("bad", n > 0);
  };

  const running = (s) => s.now && s.state === "running";

  begin().then(() => listen("/live", {
    trouble: (t) => trouble("engine", t.text),
    studies: (l) => {
      $("list").hidden = l.studies.length === 0;
      $("empty").hidden = l.studies.length > 0;
      $("more").hidden = l.total <= l.studies.length;
      setText($("more"), "The newest " + l.studies.length + " of " + count(l.total) + " studies. overnight ls shows them all.");
      rows(body, l.studies, (s) => s.study, (s) => [
        { head: true, fill: name },
        { class: "progress", fill: progress },
        { class: "number wide", text: running(s) ? rate(s.now.trials_per_second) : "" },
        { class: "number wide", text: running(s) && s.now.seconds_left ? duration(s.now.seconds_left) : "" },
        { class: "number", fill: bad },
        { class: "wide", text: when(s.created) },
      ]);
      const at = l.studies.filter((s) => s.state === "running");
      announce(at.length ? at.map((s) => s.study + " " + percent(s.committed, s.trials)).slice(0, 3).join(", ") : "No study is running.");
    },
    workers: (w) => {
      const slots = w.workers.reduce((n, x) => n + x.slots, 0);
      const speed = w.workers.reduce((n, x) => n + x.trials_per_second, 0);
      setText($("fleet"), w.workers.length
        ? plural(w.workers.length, "worker") + " with " + plural(slots, "slot") + (speed > 0 ? ", " + rate(speed) + " trials/s" : "")
        : "No worker is at work.");
    },
  })).catch((e) => trouble("start", "Nothing to show: " + e.message + "."));
})();
