// The photo coloured, with what it is compared with over it, cut by a slider; a click, or Enter, asks for the
// colours of a point.
const find = (selector) => element.querySelector(selector);
const photo = find(".photo"), wipe = find(".wipe input"), knob = find(".line span");
let here = null, table = 0;

const cut = (percent) => {
  wipe.value = percent;
  photo.style.setProperty("--cut", `${percent}%`);
};

const mark = (point, name) => {
  const dot = document.createElement("i");
  dot.className = name;
  Object.assign(dot.style, { left: `${100 * point.x}%`, top: `${100 * point.y}%`, background: point.color || "none" });
  return dot;
};

const show = () => {
  const value = props.value || {};
  if (!value.table) return;
  if (value.table !== table) {
    table = value.table;
    here = null;
    cut(50);
  }
  for (const name of ["coloured", "beside"]) find(`.${name}`).src = value[name];
  for (const name of ["left", "right"]) find(`.${name}`).textContent = value[name];
  photo.parentElement.style.maxWidth = `calc(${(100 * value.width) / value.height} * 0.68vh)`;
  if (!value.asked) here = null;
  draw();
};

const draw = () => {
  const marks = ((props.value || {}).points || []).map((point) => mark(point, "point"));
  find(".marks").replaceChildren(...marks, ...(here ? [mark(here, "here")] : []));
};

const ask = () => {
  if (here && (props.value || {}).asks) trigger("point", here);
};

photo.addEventListener("click", (event) => {
  if (event.target === knob) return;
  const box = photo.getBoundingClientRect();
  here = { x: (event.clientX - box.left) / box.width, y: (event.clientY - box.top) / box.height };
  draw();
  ask();
});

photo.addEventListener("keydown", (event) => {
  const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
  if (event.key === "Enter") ask();
  if (!step) return;
  event.preventDefault();
  const within = (x) => Math.min(Math.max(x, 0), 0.999);
  const from = here || { x: 0.5, y: 0.5 };
  here = { x: within(from.x + 0.02 * step[0]), y: within(from.y + 0.02 * step[1]) };
  draw();
});

knob.addEventListener("pointerdown", (event) => {
  event.preventDefault();
  knob.setPointerCapture(event.pointerId);
});
knob.addEventListener("pointermove", (event) => {
  if (!knob.hasPointerCapture(event.pointerId)) return;
  const box = photo.getBoundingClientRect();
  cut(Math.min(Math.max((100 * (event.clientX - box.left)) / box.width, 0), 100));
});
wipe.addEventListener("input", () => cut(wipe.value));
watch("value", show);
show();
