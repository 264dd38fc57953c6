"use strict";
// What the dashboard's pages share: asking the API, following a stream, writing
// numbers, and tables whose rows stay in place when they change.
const Dash = (() => {
  const $ = (id) => document.getElementById(id);

  const el = (tag, attributes, ...children) => {
    const e = document.createElement(tag);
    for (const [k, v] of Object.entries(attributes || {})) {
      if (v !== undefined && v !== false) e.setAttribute(k, v === true ? "" : v);
    }
    e.append(...children);
    return e;
  };

  const setText = (e, text) => { if (e.textContent !== text) e.textContent = text; };

  const signIn = () => location.replace("/signin?to=" + encodeURIComponent(location.pathname));

  // ask asks the API and returns what it says; an error has its words.
  const ask = async (path, method = "GET") => {
    const o = { method, headers: {} };
    if (method !== "GET") {
      o.headers["X-Overnight"] = "dashboard";
      o.headers["Content-Type"] = "application/json";
    }
    const r = await fetch("/api/v1" + path, o);
    if (r.status === 401) {
      signIn();
      throw new Error("the session is over");
    }
    const text = r.status === 204 ? "" : await r.text();
    if (!r.ok) {
      let detail = r.statusText;
      try { detail = JSON.parse(text).detail; } catch { /* what a proxy says */ }
      throw new Error(detail);
    }
    return text;
  };

  const whoAmI = async () => {
    const me = JSON.parse(await ask("/session"));
    if (me.role !== "nobody") return me;
    signIn();
    throw new Error("the session is over");
  };

  // listen follows a stream: handlers by event. A page that nobody sees lets go of
  // it, and begins anew when it is seen.
  const listen = (path, handlers) => {
    let source = null;
    let retry = 0;
    const lost = (yes) => trouble("connection", yes ? "The connection to the service is lost; this page tries again." : "");
    const open = () => {
      clearTimeout(retry);
      if (source || document.hidden) return;
      source = new EventSource("/api/v1" + path);
      source.onopen = () => lost(false);
      source.onerror = async () => {
        if (document.hidden || !source) return;
        lost(true);
        if (source.readyState !== EventSource.CLOSED) return; // it tries again by itself
        close();
        retry = setTimeout(open, 5000);
        await whoAmI().catch(() => {}); // leads to the sign-in page where the session is over
      };
      for (const [kind, handle] of Object.entries(handlers)) {
        source.addEventListener(kind, (e) => handle(JSON.parse(e.data)));
      }
    };
    const close = () => {
      if (source) source.close();
      source = null;
    };
    document.addEventListener("visibilitychange", () => (document.hidden ? close() : open()));
    addEventListener("pagehide", close);
    addEventListener("pageshow", open);
    open();
  };

  // trouble shows what is wrong, by where it comes from; "" for nothing.
  const troubles = new Map();
  const trouble = (from, text) => {
    if (text) troubles.set(from, text); else troubles.delete(from);
    const all = [...troubles.values()].join(" ");
    const p = $("trouble");
    setText(p, all);
    p.hidden = !all;
  };

  const whole = new Intl.NumberFormat("en-US");
  const count = (n) => whole.format(n);
  const rate = (v) => (v >= 100 ? count(Math.round(v)) : v > 0 ? String(Number(v.toPrecision(3))) : "0");
  const number = (v) => (typeof v === "number" ? String(Number(v.toPrecision(5))) : String(v));
  const duration = (s) => {
    s = Math.max(1, Math.round(s));
    if (s < 60) return s + " s";
    if (s < 3600) return Math.floor(s / 60) + " min " + String(s % 60).padStart(2, "0") + " s";
    if (s < 172800) return Math.floor(s / 3600) + " h " + String(Math.floor((s % 3600) / 60)).padStart(2, "0") + " min";
    return Math.floor(s / 86400) + " d " + Math.floor((s % 86400) / 3600) + " h";
  };
  const percent = (n, of) => (of > 0 ? (n >= of ? "100" : String(Math.floor((1000 * n) / of) / 10)) : "0") + " %";
  const when = (stamp) => (stamp ? new Date(stamp).toLocaleString([], { dateStyle: "medium", timeStyle: "short" }) : "");
  const plural = (n, word) => count(n) + " " + word + (n === 1 ? "" : "s");
  const settings = (levels) => Object.entries(levels || {}).map(([k, v]) => k.replace(/^env\./, "") + " = " + number(v)).join(", ");

  // rows makes a table's body show a list. Rows are known by their key and stay
  // where they are; cells are texts, or nodes that fill(cell, item) keeps up to date.
  const rows = (body, list, key, cells) => {
    const there = new Map([...body.rows].map((r) => [r.dataset.key, r]));
    let before = null;
    list.forEach((item, i) => {
      const k = String(key(item));
      let row = there.get(k);
      there.delete(k);
      const values = cells(item);
      if (!row) {
        row = el("tr", { "data-key": k });
        for (const v of values) row.append(el(v.head ? "th" : "td", { scope: v.head ? "row" : undefined, class: v.class }));
      }
      values.forEach((v, c) => (v.fill ? v.fill(row.cells[c], item) : setText(row.cells[c], String(v.text ?? v))));
      const place = before ? before.nextSibling : body.firstChild;
      if (place !== row) body.insertBefore(row, place);
      before = row;
    });
    for (const row of there.values()) row.remove();
  };

  // announce tells screen readers, at most twice a minute unless it matters.
  let told = 0;
  const announce = (text, matters) => {
    const now = Date.now();
    if (!matters && now - told < 30000) return;
    told = now;
    setText($("status"), text);
  };

  // begin shows who asks and returns their role.
  const begin = async () => {
    Overnight.themeButton($("theme"));
    const me = await whoAmI();
    if (me.sign_out) {
      setText($("who"), me.who + " (" + me.role + ")");
      $("who").hidden = $("signout").hidden = false;
      $("signout").addEventListener("click", async () => {
        await ask("/session", "DELETE").catch(() => {});
        location.replace("/signin");
      });
    }
    return me.role;
  };

  return { $, el, setText, ask, listen, trouble, count, rate, number, duration, percent, when, plural, settings, rows, announce, begin };
})();
