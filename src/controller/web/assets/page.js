// Keeps an open page up to date. Everything works without it; it only spares reloading.
(() => {
  const { dataset } = document.body;
  // The clock of the controller counts, not that of the browser.
  let aheadMs = Number(dataset.now) - Date.now();

  const formatAge = (ms) => {
    const seconds = Math.floor(ms / 1000);
    if (seconds < 1) return "now";
    if (seconds < 100) return `${seconds} s ago`;
    if (seconds < 6000) return `${Math.floor(seconds / 60)} min ago`;
    if (seconds < 48 * 3600) return `${Math.floor(seconds / 3600)} h ago`;
    return `${Math.floor(seconds / 86400)} d ago`;
  };

  const tick = () => {
    for (const time of document.querySelectorAll("time[data-at]")) {
      const ageMs = Date.now() + aheadMs - Number(time.dataset.at);
      const text = formatAge(ageMs);
      if (time.textContent !== text) time.textContent = text;
      const pulse = time.closest("[data-silent-ms]");
      pulse?.classList.toggle("silent", ageMs > Number(pulse.dataset.silentMs));
      pulse?.classList.toggle("alive", ageMs <= Number(pulse.dataset.silentMs));
    }
  };

  const parse = (html) => {
    const template = document.createElement("template");
    template.innerHTML = html;
    return template.content.firstElementChild;
  };

  // Whoever is at a button of a row with the keyboard stays there when the row is replaced.
  const replace = (old, fresh) => {
    const controls = "a[href], button, input, summary";
    const place = [...old.querySelectorAll(controls)].indexOf(document.activeElement);
    old.replaceWith(fresh);
    if (place !== -1) fresh.querySelectorAll(controls)[place]?.focus({ preventScroll: true });
  };

  const show = ({ id, html, into }) => {
    const old = document.getElementById(id);
    const fresh = parse(html);
    if (old && !fresh) old.remove();
    else if (old && fresh.dataset.keep !== undefined && fresh.dataset.keep === old.dataset.keep)
      return;
    else if (old) replace(old, fresh);
    else if (fresh && into) {
      fresh.classList.add("fresh");
      document.getElementById(into)?.prepend(fresh);
      document.getElementById("empty")?.remove();
    }
  };

  const live = document.getElementById("live");
  const say = (text, state) => {
    if (!live) return;
    live.textContent = text;
    live.className = state;
  };

  let source;
  const connect = () => {
    if (!dataset.live || source) return;
    source = new EventSource(dataset.live);
    source.addEventListener("open", () => say("Live", "on"));
    source.addEventListener("error", () => {
      if (source?.readyState !== EventSource.CLOSED) return say("Not live, trying again", "off");
      // Refused: the login is over, or too many pages are open.
      say("Not live. Reload the page, perhaps to log in again.", "off");
      disconnect();
    });
    source.addEventListener("change", ({ data }) => {
      const { nowMs, fragments } = JSON.parse(data);
      aheadMs = nowMs - Date.now();
      fragments.forEach(show);
      tick();
    });
  };
  // Browsers allow few connections to one server: a page nobody sees gives its own back.
  const disconnect = () => {
    source?.close();
    source = undefined;
  };

  document.addEventListener("visibilitychange", () => {
    if (document.hidden) disconnect();
    else connect();
  });
  if (!document.hidden) connect();
  setInterval(tick, 1000);
})();
