"use strict";
(() => {
  const { $, el, setText, ask, listen, trouble, count, rate, number, duration, percent, when, plural, settings, rows, announce, begin } = Dash;
  const name = decodeURIComponent(location.pathname.split("/").pop());
  const path = "/studies/" + encodeURIComponent(name);
  let role = "view";
  let state = "";
  let submitted = false;

  document.title = name + " - Overnight";
  setText($("name"), name);

  // list makes a description list show pairs.
  const list = (dl, pairs) => {
    for (const [key, value, kind] of pairs) {
      let dd = dl.querySelector('dd[data-key="' + key + '"]');
      if (!dd) {
        dd = el("dd", { "data-key": key, class: kind });
        dl.append(el("div", {}, el("dt", {}, key), dd));
      }
      dd.parentNode.hidden = value === "";
      setText(dd, value);
    }
  };

  const orders = () => {
    const may = role === "submit" || role === "admin";
    $("orders").hidden = !may;
    const alive = state === "running" || state === "paused" || state === "planning";
    $("pause").hidden = state !== "running";
    $("resume").hidden = state !== "paused";
    $("cancel").hidden = !alive;
    $("retry").hidden = !(failed > 0) || state === "removed";
  };

  let failed = 0;
  const showState = (s) => {
    if (s === state) return;
    const before = state;
    state = s;
    setText($("state"), s);
    $("state").dataset.state = s;
    if (before) {
      announce(name + " is " + s, true);
      about();
    }
    $("links").hidden = s === "removed";
  };

  const progress = (p) => {
    failed = (p.failed || 0) + (p.dead || 0) + (p.overrun || 0);
    showState(p.state);
    orders();
    if (p.state === "removed") return;
    $("progress").value = p.trials > 0 ? p.committed / p.trials : 0;
    const running = p.state === "running" && p.committed < p.trials;
    list($("numbers"), [
      ["Trials", count(p.committed) + " of " + count(p.trials)],
      ["Done", percent(p.committed, p.trials)],
      ["Trials/s", running && p.trials_per_second ? rate(p.trials_per_second) : ""],
      ["Time left", running && p.seconds_left ? duration(p.seconds_left) : ""],
      ["Workers", running ? count(p.workers || 0) : ""],
      ["Failed", p.failed ? count(p.failed) : "", "bad"],
      ["Dead", p.dead ? count(p.dead) : "", "bad"],
      ["Overrun", p.overrun ? count(p.overrun) : "", "bad"],
      ["Now", p.waits || ""],
    ]);
    trouble("study", p.trouble || "");
    announce(count(p.committed) + " of " + count(p.trials) + " trials" + (running && p.seconds_left ? ", " + duration(p.seconds_left) + " left" : ""));
  };

  const about = async () => {
    const s = JSON.parse(await ask(path));
    submitted = s.submitted;
    setText($("question"), s.question || "");
    $("question").hidden = !s.question;
    showState(s.state);
    list($("about"), [
      ["Points", count(s.points)],
      ["Replications", s.points && s.trials % s.points === 0 && !s.at_most ? count(s.trials / s.points) : ""],
      ["Trials at most", s.at_most ? count(s.at_most) : ""],
      ["Core time", s.core_seconds ? duration(s.core_seconds) : ""],
      ["Created", when(s.created)],
      ["Ended", when(s.ended)],
      ["Engine version", String(s.engine)],
      ["Records that differ", s.differs ? count(s.differs) + " (nondeterminism: see overnight replay)" : "", "bad"],
      ["Identity", s.identity, "mono"],
      ["Digest", s.digest || "fixed once every trial has a record", s.digest ? "mono" : ""],
    ]);
  };

  const links = () => {
    const api = "/api/v1" + path;
    const parts = [
      ["Report", api + "/report"], ["Trials as CSV", api + "/export?what=trials&format=csv"], ["Trials as Parquet", api + "/export?what=trials&format=parquet"],
      ["Curves as CSV", api + "/export?what=curves&format=csv"], ["Study file", api + "/source"],
    ];
    $("links").append(...parts.map(([text, href]) => el("a", { href }, text)));
  };

  // order asks for a change, after asking whether it is meant.
  const order = (what, title, text, yes) => $(what).addEventListener("click", () => {
    const d = $("ask");
    setText($("ask-title"), title);
    setText($("ask-text"), text());
    setText($("ask-yes"), yes);
    d.returnValue = "no";
    d.onclose = async () => {
      if (d.returnValue !== "yes") return;
      try {
        const s = JSON.parse(await ask(path + "/" + what, "POST"));
        setText($("said"), what === "retry"
          ? plural(s.trials, "trial") + " will run again" + (submitted || state === "running" ? "." : " with the next overnight run.")
          : "The study is " + s.state + ".");
        if (s.state) showState(s.state);
        orders();
      } catch (e) {
        setText($("said"), "Refused: " + e.message + ".");
      }
      $("said").focus(); // the button may be gone
    };
    d.showModal();
  });
  order("pause", "Pause this study?", () => "Trials in hand are finished, and no others begin until you resume it.", "Pause");
  order("resume", "Resume this study?", () => "It goes on where it is.", "Resume");
  order("cancel", "Cancel this study?", () => "It ends within seconds. Records that are there stay; to go on after all, it has to be " + (submitted ? "submitted" : "run") + " again.", "Cancel the study");
  order("retry", "Run failed trials again?", () => "The records of " + plural(failed, "trial") + " that failed, died or overran are removed, and they run again. A failure is deterministic: it comes back unless the limits or the program have changed.", "Retry");

  const figures = new Map();
  const draw = (g) => {
    const box = $("figures");
    const now = new Set();
    for (const f of g.figures) {
      now.add(f.id);
      let e = figures.get(f.id);
      if (!e) {
        e = el("figure", { class: "figure card", id: "fig-" + f.id, "data-level": "2" });
        figures.set(f.id, e);
        box.append(e);
      }
      Overnight.update(e, f);
    }
    for (const [id, e] of figures) {
      if (now.has(id)) continue;
      Overnight.dispose(e);
      e.remove();
      figures.delete(id);
    }
    setText($("note"), g.note || (g.figures.length ? "" : "Pictures appear with the first results."));
    $("note").hidden = !$("note").textContent;
  };

  const extent = (x) => (x.read < x.committed ? "Of " + count(x.read) + " of " + count(x.committed) + " records. " : "") + (x.note || "");

  const board = (b) => {
    $("leaders").hidden = b.leaders.length === 0;
    setText($("metric"), "Mean " + b.metric.replaceAll("_", " "));
    setText($("leaders-note"), "By the mean of " + b.metric.replaceAll("_", " ") + " so far, " + (b.goal === "minimize" ? "lowest" : "highest") + " first. Means of few runs flatter: the report says how sure they are. " + extent(b));
    rows($("leaders").querySelector("tbody"), b.leaders, (l) => l.point, (l) => [
      { class: "number", text: l.point }, { text: l.arm + (l.reference ? " (reference)" : "") }, { class: "settings", text: settings(l.levels) }, { class: "number", text: count(l.n) }, { class: "number", text: number(l.mean) },
    ]);
  };

  const failures = (f) => {
    $("failures").hidden = f.failures.length === 0;
    setText($("failures-note"), plural(f.failing, "point") + " with trials that did not end well" + (f.failing > f.failures.length ? "; the last " + f.failures.length + " are shown" : "") + ". " + extent(f));
    rows($("failures").querySelector("tbody"), f.failures, (x) => x.point, (x) => [
      { class: "number", text: x.point }, { text: x.arm }, { class: "settings", text: settings(x.levels) }, { class: "number", text: count(x.trials) }, { class: "number", text: x.trial }, { text: x.status }, { class: "error", text: x.error },
    ]);
  };

  const workers = (w) => {
    const here = w.workers.filter((x) => x.held > 0 || x.studies.includes(name));
    const others = w.workers.length - here.length;
    $("workers").querySelector(".table-frame").hidden = here.length === 0;
    setText($("workers-note"), (here.length ? plural(here.length, "worker") + (here.length === 1 ? " holds" : " hold") + " trials of this study" : "No worker holds trials of this study")
      + (others ? "; " + plural(others, "other") + " live" + (others === 1 ? "s" : "") : "") + ".");
    rows($("workers").querySelector("tbody"), here, (x) => x.id, (x) => [
      { text: x.id }, { class: "number", text: rate(x.trials_per_second) }, { class: "number", text: x.slots - x.free + " of " + x.slots }, { class: "number", text: count(x.held) }, { class: "number", text: count(x.done) },
    ]);
  };

  $("file").addEventListener("toggle", async () => {
    if (!$("file").open) return;
    setText($("source"), await ask(path + "/source").catch((e) => "It can't be read: " + e.message));
  });

  begin().then(async (r) => {
    role = r;
    await about();
    links();
    orders();
    listen(path + "/live", { progress, board, failures, workers, figures: draw, trouble: (t) => trouble("engine", t.text) });
  }).catch((e) => {
    document.querySelector("main").classList.add("nothing");
    trouble("start", "Nothing to show: " + e.message + ".");
  });
})();
