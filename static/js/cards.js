// The cards of the lanes: writes what changed and nothing else, so that a quiet lane costs nothing.
const SERIES = 6;

/** Returns show(views): the cards in `root` become those of standing(). */
export function bindCards(root, definitions) {
  const place = root.querySelector("[data-lanes]");
  const template = root.querySelector("[data-lane-template]");
  const cards = [...place.querySelectorAll("[data-lane]")].map(bindCard);
  for (const [name, label] of Object.entries(definitions.labels)) {
    for (const head of place.querySelectorAll(`[data-label="${name}"]`)) head.textContent = label;
  }

  function add(index) {
    const card = template.content.cloneNode(true).querySelector("[data-lane]");
    card.classList.replace("s1", `s${(index % SERIES) + 1}`);
    place.append(card);
    root.querySelector("[data-no-lanes]")?.remove();
    cards.push(bindCard(card));
  }

  return (views) => {
    views.forEach((view, index) => {
      if (index === cards.length) add(index);
      cards[index](view);
    });
  };
}

function bindCard(card) {
  const written = new Map();
  const write = (key, value, apply) => {
    if (written.get(key) === value) return;
    written.set(key, value);
    apply(value);
  };
  const texts = [...card.querySelectorAll("[data-value]")];
  const [mark, hot] = [card.querySelector("[data-leader]"), card.querySelector("[data-hot]")];
  const [gauge, path] = [card.querySelector("[data-gauge]"), card.querySelector("[data-spark]")];

  return (view) => {
    for (const element of texts) {
      const name = element.dataset.value;
      write(name, view.texts[name], (text) => { element.textContent = text; });
    }
    write("lane", view.texts.name, (name) => { card.dataset.lane = name; });
    write("state", view.state, (state) => { card.dataset.state = state; });
    write("leads", view.isLeader, (leads) => { card.classList.toggle("lead", leads); mark.hidden = !leads; });
    write("hot", view.isHot, (isHot) => { hot.classList.toggle("hot", isHot); });
    write("gauge", view.gauge, (percent) => { gauge.setAttribute("width", percent); });
    write("spark", view.spark, (line) => { path.setAttribute("d", line); });
  };
}
