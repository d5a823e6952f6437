// Says that a file is being made, and when its download begins. Without this, the links do the same
// in silence. A script cannot see a download; the server sets a cookie of the name it is given.

const POLL_MILLISECONDS = 250;
const STAYS_MILLISECONDS = 4000;
const status = document.getElementById("exporting");
const [text, time] = status.children;
let polling;

function say(words) {
  text.textContent = words;
  time.textContent = "";
}

function stop() {
  clearInterval(polling);
  status.classList.remove("busy");
}

function began(cookie) {
  if (!document.cookie.split("; ").includes(`${cookie}=1`)) return false;
  document.cookie = `${cookie}=; path=/; max-age=0; samesite=strict`;
  return true;
}

document.addEventListener("click", ({ target }) => {
  const link = target.closest("[data-export]");
  if (!link) return;
  const token = Date.now().toString(36) + Math.random().toString(36).slice(2, 10);
  const address = new URL(link.href);
  address.searchParams.set("download", token);
  link.href = address;
  link.closest("[popover]")?.hidePopover();

  stop();
  say(link.dataset.export);
  status.classList.add("busy");
  const since = Date.now();
  polling = setInterval(() => {
    if (began(`download-${token}`)) {
      stop();
      say(status.dataset.begun);
      const words = text.textContent;
      setTimeout(() => text.textContent === words && !status.matches(".busy") && say(""), STAYS_MILLISECONDS);
    } else {
      time.textContent = `${Math.floor((Date.now() - since) / 1000)} s`;
    }
  }, POLL_MILLISECONDS);
});

// A refusal is a page of its own. Who comes back from it is not shown the wait for it.
addEventListener("pagehide", () => {
  stop();
  say("");
});
