// <div data-drop>: files and folders dropped on it go into its file input; the chosen files are listed.
const MAX_FILES = 400; // what the server takes at once

const readEntries = (reader) => new Promise((resolve, reject) => { reader.readEntries(resolve, reject); });
const fileOf = (entry) => new Promise((resolve, reject) => { entry.file(resolve, reject); });

async function filesIn(entry) {
  if (entry.isFile) return [await fileOf(entry)];
  const found = [];
  const reader = entry.createReader();
  // A reader hands out a folder in portions and an empty one at the end.
  for (let entries = await readEntries(reader); entries.length; entries = await readEntries(reader)) {
    for (const child of entries) found.push(...(await filesIn(child)));
    if (found.length > MAX_FILES) break;
  }
  return found;
}

const sizeText = (bytes) => (bytes < 1e6 ? `${(bytes / 1e3).toFixed(1)} kB` : `${(bytes / 1e6).toFixed(1)} MB`);

function complaint(files) {
  if (files.length > MAX_FILES) return `More than ${MAX_FILES} files: put them into a zip or tar.gz and drop that.`;
  if (new Set(files.map((file) => file.name)).size < files.length) {
    return "Two files have the same name, as in a study of several folders: zip the folder and drop the zip.";
  }
  return "";
}

function bind(zone) {
  const input = zone.querySelector("input[type=file]");
  const list = zone.querySelector("[data-drop-list]");
  const error = zone.querySelector("[data-drop-error]");

  const show = () => {
    list.replaceChildren(...[...input.files].map((file) => {
      const item = document.createElement("li");
      item.textContent = `${file.name}, ${sizeText(file.size)}`;
      return item;
    }));
  };
  const take = (files) => {
    error.textContent = complaint(files);
    if (error.textContent) return;
    const transfer = new DataTransfer();
    for (const file of files) transfer.items.add(file);
    input.files = transfer.files;
    show();
  };

  input.addEventListener("change", () => { error.textContent = ""; show(); });
  for (const name of ["dragenter", "dragover"]) {
    zone.addEventListener(name, (event) => { event.preventDefault(); zone.classList.add("over"); });
  }
  zone.addEventListener("dragleave", (event) => {
    if (!zone.contains(event.relatedTarget)) zone.classList.remove("over");
  });
  zone.addEventListener("drop", async (event) => {
    event.preventDefault();
    zone.classList.remove("over");
    // The list of entries is gone after the first await.
    const entries = [...event.dataTransfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
    const loose = [...event.dataTransfer.files];
    take(entries.length ? (await Promise.all(entries.map(filesIn))).flat() : loose);
  });
}

for (const zone of document.querySelectorAll("[data-drop]")) bind(zone);
