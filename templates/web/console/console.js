// Keys, live counts and presence. Every page works without this.
"use strict";
(() => {
  const all = (what, where = document) => Array.from(where.querySelectorAll(what));
  const one = (what, where = document) => where.querySelector(what);

  // --- keys ---------------------------------------------------------------------------------------------------------
  const rows = () => all("[data-row]").filter((row) => row.offsetParent !== null);
  const here = () => document.activeElement && document.activeElement.closest("[data-row]");
  const handle = (row) => one("a.strong, h3 a, summary, a", row);

  function go(step) {
    const list = rows();
    if (!list.length) return;
    const at = list.indexOf(here());
    const next = list[Math.min(Math.max(at + step, 0), list.length - 1)];
    const target = handle(next);
    if (target) target.focus({ preventScroll: true });
    next.scrollIntoView({ block: "nearest" });
  }

  const typing = (target) => target.closest("input:not([type=checkbox]), textarea, select, [contenteditable]");

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (typing(event.target)) {
      if (event.key === "Escape") event.target.blur();
      return;
    }
    const done = () => event.preventDefault();
    if (event.key === "/") { done(); const box = one("#q"); box.focus(); box.select(); return; }
    if (event.key === "j" || event.key === "ArrowDown" && here()) { done(); go(1); return; }
    if (event.key === "k" || event.key === "ArrowUp" && here()) { done(); go(-1); return; }
    if (event.key === "x" && here()) {
      const box = one("input[type=checkbox]", here());
      if (box) { done(); box.click(); }
      return;
    }
    const view = one(`[data-view="${CSS.escape(event.key)}"]`);
    const keyed = one(`[data-key="${CSS.escape(event.key)}"]`);
    if (keyed) {
      done();
      keyed.focus();
      // A button only gets the focus: whoever means it presses Enter.
      if (keyed.matches("a, summary")) keyed.click();
    } else if (view) {
      done();
      view.click();
    }
  });

  // --- choosing ------------------------------------------------------------------------------------------------------
  for (const form of all("form.bulk")) {
    const boxes = all("input[name=no]", form);
    const shown = one("[data-chosen]", form);
    const every = one("[data-all]", form);
    const count = () => {
      const chosen = boxes.filter((box) => box.checked).length;
      if (shown) shown.textContent = chosen;
      if (every) { every.checked = chosen > 0 && chosen === boxes.length; every.indeterminate = chosen > 0 && chosen < boxes.length; }
    };
    if (every) every.addEventListener("change", () => { for (const box of boxes) box.checked = every.checked; count(); });
    form.addEventListener("change", count);
    count();
  }

  // --- evidence: the line a field or reason is about lights up --------------------------------------------------------
  const light = (event, on) => {
    const link = event.target.closest("a.jump") || one("a.jump", event.target.closest("tr, .field, .reasons li") || document.createElement("i"));
    const line = link && document.getElementById(link.hash.slice(1));
    if (line) line.classList.toggle("lit", on);
  };
  for (const [start, end] of [["mouseover", "mouseout"], ["focusin", "focusout"]]) {
    document.addEventListener(start, (event) => light(event, true));
    document.addEventListener(end, (event) => light(event, false));
  }

  // --- live ----------------------------------------------------------------------------------------------------------
  const fresh = () => one(".fresh");
  let head = null;
  const edited = () => all("input, textarea, select").some((field) =>
    field.type === "checkbox" ? field.checked !== field.defaultChecked
      : field.tagName === "SELECT" ? false : field.value !== field.defaultValue);
  const quietNow = () => !edited() && !one("details.ask[open]") && !here() && scrollY < 40;

  async function renew() {
    const answer = await fetch(location.href, { headers: { accept: "text/html" } });
    if (!answer.ok) return;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const main = one("#main", page);
    if (!main || !quietNow()) { fresh().hidden = false; return; }
    one("#main").replaceWith(document.adoptNode(main));
    const clock = one(".clock", page);
    if (clock) one(".clock").textContent = clock.textContent;
  }

  const live = ["/", "/review", "/inbox", "/outbox", "/tenants", "/progress", "/health"].includes(location.pathname);
  let source = null;

  // The session is over: what was typed stays, and goes on with the next one of the same person.
  const gone = () => one(".gone");
  const me = document.body.dataset.me;
  async function look() {
    const answer = await fetch("/api/me");
    if (answer.status === 401) { gone().hidden = false; return; }
    if (!answer.ok) return;
    const now = await answer.json();
    if (now.name !== me) { location.reload(); return; }
    for (const field of all("input[name=csrf]")) field.value = now.csrf;
    for (const holder of all("[data-csrf]")) holder.dataset.csrf = now.csrf;
    if (!gone().hidden) { gone().hidden = true; listen(); }
  }
  document.addEventListener("visibilitychange", () => { if (!document.hidden && !gone().hidden) look().catch(() => {}); });
  addEventListener("focus", () => { if (!gone().hidden) look().catch(() => {}); });

  function listen() {
    if (source) source.close();
    source = new EventSource("/events");
    source.addEventListener("error", () => { if (source.readyState === EventSource.CLOSED) look().catch(() => {}); });
    source.addEventListener("counts", (event) => {
      const counts = JSON.parse(event.data);
      for (const key of ["review", "approvals", "outbox", "health"]) {
        const badge = one(`[data-count="${key}"] b`);
        if (badge) { badge.textContent = counts[key]; badge.hidden = !counts[key]; }
      }
      if (head !== null && head !== counts.head && live) {
        if (quietNow()) renew().catch(() => {}); else if (fresh()) fresh().hidden = false;
      }
      head = counts.head;
    });
  }
  if (window.EventSource) {
    listen();
    addEventListener("pagehide", () => source.close());
  }

  // --- presence --------------------------------------------------------------------------------------------------------
  const presence = one("[data-here]");
  if (presence) {
    const tell = async () => {
      const answer = await fetch(presence.dataset.here, { method: "POST", headers: { "x-csrf-token": presence.dataset.csrf } });
      if (answer.status === 401) { gone().hidden = false; return; }
      if (!answer.ok) return;
      const others = await answer.json();
      presence.hidden = others.length === 0;
      presence.textContent = presence.dataset.words + others.join("、");
    };
    const again = () => tell().catch(() => {});
    again();
    setInterval(again, 15000);
  }
})();
