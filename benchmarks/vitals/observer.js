// Runs before the page's own scripts and keeps what the browser tells of its painting, shifting and answering.
(() => {
  const seen = { fcp_ms: 0, lcp_ms: 0, lcp_element: "", cls: 0, shifts: [], long: [], interactions: {} };
  window.__vitals = seen;
  const observe = (type, act, options) =>
    new PerformanceObserver((list) => list.getEntries().forEach(act)).observe({ type, buffered: true, ...options });
  const named = (node) => (node?.nodeType === 1 ? `${node.tagName.toLowerCase()}${node.id ? `#${node.id}` : ""}.${node.className}` : "");
  observe("paint", (entry) => {
    if (entry.name === "first-contentful-paint") seen.fcp_ms = entry.startTime;
  });
  observe("largest-contentful-paint", (entry) => {
    seen.lcp_ms = entry.startTime;
    seen.lcp_element = named(entry.element);
  });
  // The worst window of shifts that are less than a second apart and five seconds in all.
  let window_ = { value: 0, first: 0, last: 0 };
  observe("layout-shift", (entry) => {
    if (entry.hadRecentInput) return;
    const goes_on = entry.startTime - window_.last < 1000 && entry.startTime - window_.first < 5000;
    if (!goes_on) window_ = { value: 0, first: entry.startTime, last: 0 };
    window_.value += entry.value;
    window_.last = entry.startTime;
    seen.cls = Math.max(seen.cls, window_.value);
    seen.shifts.push([entry.value, entry.startTime, entry.sources.map((source) => named(source.node)).join(" ")]);
  });
  observe("longtask", (entry) => seen.long.push([entry.startTime, entry.duration]));
  observe("event", (entry) => {
    if (!entry.interactionId) return;
    const before = seen.interactions[entry.interactionId]?.[0] ?? 0;
    if (entry.duration > before) seen.interactions[entry.interactionId] = [entry.duration, entry.name, named(entry.target)];
  }, { durationThreshold: 16 });
})();
