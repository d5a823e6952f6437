// What the page does beyond links, forms and popovers; all of it can be done without, too.
// Listeners are on the document, so that what htmx swaps in needs no setting up.

const status = document.getElementById("status");

function announce(text) {
  // The same words twice in a row are no change, and would not be read out.
  status.textContent = status.textContent === text ? `${text}\u00a0` : text;
}

// --- Copy buttons: data-copy holds the text, data-copy-from the id of the element that does ---

async function copy(text) {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  // A page that came over plain http has no clipboard but this one.
  const field = document.createElement("textarea");
  field.className = "vh";
  field.value = text;
  document.body.append(field);
  field.select();
  const copied = document.execCommand("copy");
  field.remove();
  if (!copied) throw new Error("The browser copied nothing.");
}

function show(icon, name) {
  icon.setAttribute("href", icon.getAttribute("href").replace(/#.*/, `#${name}`));
}

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy], [data-copy-from]");
  if (!button) return;
  const { copy: text, copyFrom: source } = button.dataset;
  const icon = button.querySelector("use");
  try {
    await copy(text ?? document.getElementById(source).textContent);
    announce(status.dataset.copied);
    show(icon, "check");
  } catch {
    announce(status.dataset.notCopied);
    show(icon, "x");
  }
  button.focus({ preventScroll: true });
  setTimeout(() => show(icon, "copy"), 2000);
});

// --- A click anywhere in a row opens it, unless it selected text; on an id it never does ---

document.addEventListener("click", (event) => {
  if (event.target.closest("a, button, .up") || getSelection().type === "Range") return;
  const link = event.target.closest("tbody.row > tr:first-child")?.querySelector(".x, .inv-no");
  link?.dispatchEvent(new MouseEvent("click", event));
});

// --- The theme changes at once; the form is sent all the same, so that it is remembered ---

document.addEventListener("submit", async (event) => {
  const { submitter, target: form } = event;
  if (submitter?.name !== "theme") return;
  event.preventDefault();
  document.documentElement.dataset.theme = submitter.value;
  for (const button of document.querySelectorAll("[name=theme]")) {
    button.setAttribute("aria-pressed", button.value === submitter.value);
  }
  try {
    const body = new FormData(form, submitter);
    const answer = await fetch(form.action, { method: "POST", body, redirect: "manual" });
    if (answer.type !== "opaqueredirect") throw new Error("The theme was not kept.");
  } catch {
    again = submitter;
    tell("failed");
  }
});

// --- Parts of the page that htmx changes: they say that they are busy, and what went wrong ---

const SLOW_MILLISECONDS = 5000;
const trouble = document.getElementById("trouble");
let slow;
let again;

function tell(when) {
  for (const part of trouble.querySelectorAll("[data-when]")) part.hidden = part.dataset.when !== when;
  trouble.querySelector("[data-again]").hidden = when === "slow";
  trouble.hidden = false;
}

function settle() {
  clearTimeout(slow);
  trouble.hidden = true;
}

document.addEventListener("htmx:configRequest", ({ detail }) => {
  // What was not filled in stays out of the address.
  for (const [name, value] of [...detail.formData]) if (value === "") detail.formData.delete(name);
});

// Asking what is new goes on behind the page, and neither shows as busy nor disturbs.
function isPoll({ requestConfig }) {
  return requestConfig.elt.id === "poll";
}

document.addEventListener("htmx:beforeRequest", ({ detail }) => {
  if (isPoll(detail)) return;
  settle();
  slow = setTimeout(tell, SLOW_MILLISECONDS, "slow");
  detail.target.setAttribute("aria-busy", "true");
  for (const menu of document.querySelectorAll(":popover-open")) {
    if (!menu.contains(detail.target)) menu.hidePopover();
  }
});

document.addEventListener("htmx:beforeSwap", ({ detail }) => {
  const asked = new URL(detail.pathInfo.finalRequestPath, location.href);
  if (new URL(detail.xhr.responseURL).pathname !== asked.pathname) {
    // Sent elsewhere, to log in: that is a page of its own.
    detail.shouldSwap = false;
    location.assign(isPoll(detail) ? location.href : asked);
  }
  // The row that was opened stays where it is on the screen.
  delete detail.pathInfo.anchor;
  if (isPoll(detail)) {
    // What was said already is not said again.
    const asking = detail.requestConfig.elt;
    if (asking.answer === detail.serverResponse) detail.shouldSwap = false;
    asking.answer = detail.serverResponse;
  }
});

document.addEventListener("htmx:afterRequest", ({ detail }) => {
  if (isPoll(detail)) return polled(detail.successful);
  detail.target.removeAttribute("aria-busy");
  if (!detail.successful) return;
  settle();
  failures = 0;
});

for (const [event, when] of [
  ["htmx:responseError", "failed"],
  ["htmx:swapError", "failed"],
  ["htmx:timeout", "away"],
  ["htmx:sendError", "away"],
]) {
  document.addEventListener(event, ({ detail }) => {
    if (isPoll(detail)) return;
    settle();
    again = detail.requestConfig.elt;
    tell(when);
  });
}

trouble.addEventListener("click", ({ target }) => {
  if (target.closest("[data-again]")) again.matches("form") ? again.requestSubmit() : again.click();
  if (target.closest("[data-again], [data-close]")) trouble.hidden = true;
});

document.addEventListener("htmx:afterSettle", ({ detail }) => {
  if (isPoll(detail)) return;
  // htmx gives the focus back to what has the same id. Where that is gone, the results take it.
  if (document.activeElement === document.body) {
    document.getElementById("results").focus({ preventScroll: true });
  }
  if (detail.requestConfig.elt.hasAttribute("aria-expanded")) return;
  const part = document.getElementById(detail.requestConfig.target.id);
  // The results come last; before them stand the menus of the filters, with words of their own.
  const words = [...part.querySelectorAll("[data-announce], .empty h2")].at(-1);
  announce(words.textContent);
});

// --- What came since the list was shown: asked for while somebody looks ---

const POLL_MILLISECONDS = 15000;
const TRIES = 3;
let failures = 0;
let skipped = 0;

function poll() {
  const asking = document.getElementById("poll");
  if (asking && document.visibilityState === "visible" && failures < TRIES) {
    htmx.trigger(asking, "poll");
  }
}

function polled(successful) {
  failures = successful ? 0 : failures + 1;
  skipped = 2 ** failures - 1;
  const paused = document.getElementById("paused");
  if (!paused) return; // another page of the list came meanwhile
  paused.hidden = failures < TRIES;
  if (!paused.hidden) announce(paused.firstChild.textContent);
}

setInterval(() => (skipped > 0 ? skipped-- : poll()), POLL_MILLISECONDS);
document.addEventListener("visibilitychange", poll);
document.addEventListener("click", ({ target }) => {
  if (!target.closest("[data-poll]")) return;
  failures = 0;
  poll();
});
