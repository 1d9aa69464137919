// Classic and blocking on purpose, as theme.js: what changes the layout must be known before the first paint.
(() => {
  document.documentElement.classList.add("js");
  if (window.parent === window) return;
  // Inside the page of another site, which may listen and set the height of its frame. The height is no secret.
  document.addEventListener("DOMContentLoaded", () => {
    let told = 0;
    new ResizeObserver(() => {
      const height = Math.ceil(document.body.getBoundingClientRect().height);
      if (height === told) return;
      told = height;
      window.parent.postMessage({ type: "lemsite:height", height, url: location.href }, "*");
    }).observe(document.body);
  });
})();
