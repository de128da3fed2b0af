// A clock that goes on: <span data-clock="38">38 min</span> holds the minutes at which the page was made.
const made = Date.now();

function say(minutes) {
  const hours = Math.floor(minutes / 60), rest = minutes % 60;
  return [hours && `${hours} h`, (rest || !hours) && `${rest} min`].filter(Boolean).join(" ");
}

setInterval(() => {
  for (const clock of document.querySelectorAll("[data-clock]")) {
    const text = say(Number(clock.dataset.clock) + Math.floor((Date.now() - made) / 60000));
    if (clock.textContent !== text) clock.textContent = text;
  }
}, 5000);
