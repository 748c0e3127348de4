// New calls come in while the list is open; code can be copied. Everything works without this file, after a reload.
"use strict";
const calls = document.getElementById("calls");
const live = document.getElementById("live");

function add(html) {
  const holder = document.createElement("tbody");
  holder.innerHTML = html; // a row that the sandbox has written, every text in it escaped
  const row = holder.firstElementChild;
  row.classList.add("new");
  calls.prepend(row);
  while (calls.rows.length > 500) calls.lastElementChild.remove();
  document.getElementById("empty")?.remove();
  live.textContent = `Live: ${calls.rows.length} shown, the newest first.`;
}

if (calls) {
  const after = () => calls.firstElementChild?.dataset.number ?? 0;
  const url = new URL(calls.dataset.events, location.href);
  url.searchParams.set("after", after());
  const events = new EventSource(url);
  events.addEventListener("open", () => (live.textContent = `Live: ${calls.rows.length} shown, the newest first.`));
  events.addEventListener("call", (event) => Number(event.lastEventId) > Number(after()) && add(event.data));
  events.addEventListener("error", () => (live.textContent = "The sandbox does not answer; trying again."));
  addEventListener("pagehide", () => events.close());
}

for (const button of document.querySelectorAll("[data-copy]")) {
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent);
    button.textContent = "Copied";
  });
}
