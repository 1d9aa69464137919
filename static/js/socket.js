// A websocket that comes back: waits longer after each failure, and goes on behind the last event it brought.
const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 10_000;
const GONE = 4404; // the run was deleted
let failures = 0; // over all sockets of the page: a new one is opened for each state that was fetched

/** `onLost(failures, retry)` decides what happens after the wait. Returns close(). */
export function connect({ path, after, onFrame, onLost }) {
  let last = after;
  let socket;
  let timer;

  const open = () => {
    const scheme = location.protocol === "https:" ? "wss:" : "ws:";
    socket = new WebSocket(`${scheme}//${location.host}${path}?after=${last}`);
    socket.onmessage = ({ data }) => {
      failures = 0;
      const frame = JSON.parse(data);
      if (frame.type === "events") last = frame.seq;
      onFrame(frame);
    };
    socket.onclose = ({ code }) => {
      if (code === GONE) return;
      failures += 1;
      const wait = Math.min(FIRST_WAIT_MS * 2 ** (failures - 1), LONGEST_WAIT_MS);
      // Spread out, so that a restarted server does not meet every page at once.
      timer = setTimeout(() => onLost(failures, open), wait * (0.5 + Math.random()));
    };
  };
  open();
  return () => {
    clearTimeout(timer);
    socket.onclose = null;
    socket.onmessage = null;
    socket.close();
  };
}
