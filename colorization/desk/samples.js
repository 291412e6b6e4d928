// Small pictures of the best colouring and of the samples, to choose from.
element.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (button) trigger("choose", { number: Number(button.dataset.number) });
});
