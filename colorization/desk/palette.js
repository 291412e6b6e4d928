// The colours of a point, to choose from, and the points that were made.
element.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (!button) return;
  if (button.dataset.color) trigger("colour", { color: button.dataset.color });
  if (button.dataset.remove) trigger("remove", { number: Number(button.dataset.remove) });
});
element.addEventListener("change", (event) => {
  if (event.target.type === "color") trigger("colour", { color: event.target.value });
});
