"use strict";
(() => {
  // Only a path of this service: anything else would lead away from it.
  const to = new URLSearchParams(location.search).get("to") || "/";
  const target = /^\/(studies\/[A-Za-z0-9._@-]+)?$/.test(to) ? to : "/";
  const form = document.getElementById("form");
  const token = document.getElementById("token");
  const wrong = document.getElementById("wrong");

  // A link from another site comes without the cookie, which this request has.
  fetch("/api/v1/session").then((r) => r.json())
    .then((me) => { if (me.role !== "nobody") location.replace(target); })
    .catch(() => {}); // the form says more

  form.addEventListener("submit", async (e) => {
    e.preventDefault();
    const say = (text) => {
      wrong.textContent = text;
      wrong.hidden = false;
      token.focus();
      token.select();
    };
    wrong.hidden = true;
    try {
      const r = await fetch("/api/v1/session", {
        method: "POST",
        headers: { "Content-Type": "application/json", "X-Overnight": "dashboard" },
        body: JSON.stringify({ token: token.value }),
      });
      if (r.ok) {
        token.value = "";
        location.replace(target);
        return;
      }
      const p = await r.json();
      say("Not signed in: " + p.detail + ".");
    } catch {
      say("The service does not answer. Try again.");
    }
  });
})();
