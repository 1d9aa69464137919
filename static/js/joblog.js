// <section data-log="address" data-log-start="offset">: reads a log from there on, with its colours, and follows it.
import { newPen, paint } from "./ansi.js";
import { bindSearch } from "./logsearch.js";

const EVERY_MS = 2000;
const MOST_LINES = 20_000; // older ones leave the page; the download has them

const bound = new WeakSet(); // htmx tells of one swap several times

function bind(section) {
  if (bound.has(section)) return;
  bound.add(section);
  const find = (name) => section.querySelector(`[data-log-${name}]`);
  const [lines, tools, cut, state] = [find("lines"), find("tools"), find("cut"), find("state")];
  const [follow, wrap] = [find("follow"), find("wrap")];
  const pre = document.createElement("pre");
  const decoder = new TextDecoder();
  const pen = newPen();
  let after = Number(section.dataset.logStart);
  let isPartial = after > 0; // the first line is not whole
  let rest = "";
  let open = null; // the line that has no end yet

  function add(text) {
    const parts = (rest + text).split("\n");
    rest = parts.pop();
    if (isPartial && parts.length) {
      parts.shift();
      isPartial = false;
    }
    open?.remove();
    for (const part of parts) pre.append(row(part, pen));
    open = rest ? row(rest, { ...pen }) : null;
    if (open) pre.append(open);
    while (pre.childElementCount > MOST_LINES) {
      pre.firstElementChild.remove();
      cut.hidden = false;
    }
    search.renew();
    if (follow.checked) lines.scrollTop = lines.scrollHeight;
  }
  function row(text, pen) {
    const line = document.createElement("span");
    line.className = "line";
    paint(line, text.replace(/\r$/, ""), pen);
    line.append("\n");
    return line;
  }
  async function read() {
    if (!section.isConnected) return;
    if (document.hidden && pre.isConnected) return void setTimeout(read, EVERY_MS);
    const answer = await fetch(`${section.dataset.log}?after=${after}`).catch(() => null);
    if (!answer?.ok) return void setTimeout(read, 2 * EVERY_MS);
    const bytes = await answer.arrayBuffer();
    const isOver = answer.headers.get("X-Log-Over") === "1";
    after = Number(answer.headers.get("X-Log-Next"));
    if (!pre.isConnected) lines.replaceChildren(pre);
    if (bytes.byteLength) add(decoder.decode(bytes, { stream: !isOver }));
    if (after) state.textContent = isOver ? `${size(after)}, complete` : `${size(after)} so far`;
    if (!isOver) setTimeout(read, bytes.byteLength >= 1 << 20 ? 0 : EVERY_MS);
  }
  const search = bindSearch(tools, pre, (line) => {
    follow.checked = false;
    lines.scrollTop = line.offsetTop - lines.clientHeight / 2;
  });

  tools.hidden = false;
  follow.addEventListener("change", () => { if (follow.checked) lines.scrollTop = lines.scrollHeight; });
  wrap.addEventListener("change", () => lines.classList.toggle("wraps", wrap.checked));
  // Whoever scrolls up wants to read; whoever comes back to the end wants to follow.
  lines.addEventListener("wheel", ({ deltaY }) => { if (deltaY < 0) follow.checked = false; }, { passive: true });
  lines.addEventListener("keydown", ({ key }) => { if (["ArrowUp", "PageUp", "Home"].includes(key)) follow.checked = false; });
  lines.addEventListener("scrollend", () => {
    const isAtEnd = lines.scrollTop + lines.clientHeight >= lines.scrollHeight - 4;
    if (isAtEnd && "live" in section.dataset) follow.checked = true;
  });
  read();
}

const size = (bytes) => (bytes < 1e6 ? `${Math.max(bytes / 1000, 0.1).toFixed(1)} kB` : `${(bytes / 1e6).toFixed(1)} MB`);

document.body.addEventListener("htmx:oobAfterSwap", ({ detail }) => {
  if (detail.target.id !== "job-record") return;
  for (const section of document.querySelectorAll("#job-record [data-log]")) bind(section);
});
for (const section of document.querySelectorAll("[data-log]")) bind(section);
