// <select data-fills="id">: choosing an answer writes its text into that field, where it can still be changed.
for (const select of document.querySelectorAll("select[data-fills]")) {
  const field = document.getElementById(select.dataset.fills);
  let filled = "";
  select.addEventListener("change", () => {
    const text = select.selectedOptions[0]?.dataset.text ?? "";
    // What a moderator wrote is never replaced.
    if (field.value.trim() && field.value !== filled) return;
    field.value = filled = text;
  });
}
