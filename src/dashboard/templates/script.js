// Says before the view closes, and marks it once it has. Every page works without it.
(() => {
  "use strict";
  const ends = document.getElementById("ends");
  const warning = document.getElementById("warning");
  const seconds = ends && Number(ends.dataset.seconds);
  if (!warning || !Number.isFinite(seconds)) return;
  const deadline = Date.now() + seconds * 1000;
  const look = () => {
    const left = deadline - Date.now();
    if (left <= 120000 && !warning.textContent) warning.textContent = warning.dataset.text;
    if (left <= 0) ends.classList.add("over");
    else setTimeout(look, Math.max(1000, Math.min(left, left > 120000 ? left - 120000 : left)));
  };
  look();
})();
