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
