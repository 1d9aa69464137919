// /analysis/ on top of htmx: short addresses, no request twice; and short links that a click makes and copies.
const form = document.querySelector("[data-ask]");
const status = document.querySelector("[data-ask-status]");
let lastAddress = location.href;

const say = (text, isError = false) => {
  status.textContent = text;
  status.classList.toggle("visually-hidden", !isError);
};

form.addEventListener("htmx:configRequest", ({ detail }) => {
  for (const [name, value] of [...detail.formData]) if (value === "") detail.formData.delete(name);
});
// A field that was typed into fires once more when it is left.
form.addEventListener("htmx:beforeRequest", (event) => {
  const address = new URL(event.detail.pathInfo.finalRequestPath, location.href).href;
  if (address === lastAddress) event.preventDefault();
  lastAddress = address;
});
document.body.addEventListener("htmx:afterSettle", () => {
  say(document.querySelector("[data-question]")?.textContent ?? "");
});
for (const name of ["htmx:responseError", "htmx:sendError", "htmx:timeout"]) {
  form.addEventListener(name, () => {
    lastAddress = "";
    say("The answer could not be loaded: the server did not answer as expected. Try again or reload the page.", true);
  });
}
// Without htmx the form is sent as any other, so its button comes back.
if (!window.htmx) document.documentElement.classList.remove("js");

/** The page with the form gives the token, so that no page has a cookie before somebody asks for a link. */
async function made(page, url) {
  const html = await (await fetch(page)).text();
  const token = new DOMParser().parseFromString(html, "text/html").querySelector("[name=csrfmiddlewaretoken]");
  const known = new DOMParser().parseFromString(html, "text/html").querySelector("#short-link");
  if (known) return known.textContent;
  const body = new URLSearchParams({ url, csrfmiddlewaretoken: token?.value ?? "" });
  const answer = await fetch(page.split("?")[0], { method: "POST", body, headers: { Accept: "application/json" } });
  const { url: address, error } = await answer.json();
  if (!address) throw new Error(error);
  return address;
}

document.body.addEventListener("click", async (event) => {
  const link = event.target.closest("[data-short-link]");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  const said = link.parentElement.querySelector("[data-short-link-said]");
  try {
    const address = await made(link.href, link.dataset.shortLink);
    said.textContent = address;
    await navigator.clipboard.writeText(address).then(
      () => { said.textContent = `Copied: ${address}`; },
      () => getSelection().selectAllChildren(said),
    );
  } catch {
    location.assign(link.href);
  }
});
