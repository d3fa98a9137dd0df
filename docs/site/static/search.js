// The search page: asks Pagefind's index, which `make site` puts beside the pages.
const words = document.getElementById("kecoa-search-script").dataset;
const status = document.getElementById("kecoa-search-status");
const list = document.getElementById("kecoa-search-results");
const more = document.getElementById("kecoa-search-more");
const input = document.querySelector(".kecoa-search input");
const PAGE = 10;
let latest = 0;
let pending = [];

function item(found) {
  const entry = document.createElement("li");
  const parts = found.sub_results.length ? found.sub_results.slice(0, 3) : [found];
  for (const [at, part] of parts.entries()) {
    const link = document.createElement("a");
    link.href = part.url;
    link.textContent = at === 0 || part.title === found.meta.title ? found.meta.title : part.title;
    if (at === 0 && part.title && part.title !== found.meta.title) {
      link.textContent += " · " + part.title;
    }
    const text = document.createElement("p");
    // Pagefind escapes the page's text and adds <mark>.
    text.innerHTML = part.excerpt;
    entry.append(link, text);
  }
  return entry;
}

async function show() {
  const mine = latest;
  const next = pending.splice(0, PAGE);
  const found = await Promise.all(next.map((result) => result.data()));
  if (mine !== latest) return;
  list.append(...found.map(item));
  more.hidden = pending.length === 0;
}

async function search(pagefind, query) {
  const mine = ++latest;
  list.replaceChildren();
  more.hidden = true;
  if (!query.trim()) {
    status.textContent = "";
    return;
  }
  status.textContent = words.searching;
  const answer = await pagefind.search(query);
  if (mine !== latest) return;
  const count = answer.results.length;
  status.textContent = count ? `${count} ${words.found} “${query}”` : `${words.none} “${query}”`;
  pending = [...answer.results];
  await show();
}

try {
  const pagefind = await import(new URL("../pagefind/pagefind.js", import.meta.url));
  await pagefind.options({ excerptLength: 24 });
  await pagefind.init();
  const query = new URLSearchParams(location.search).get("q") ?? "";
  input.value = query;
  input.focus();
  let timer;
  input.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(() => search(pagefind, input.value), 150);
  });
  input.form.addEventListener("submit", (event) => {
    event.preventDefault();
    search(pagefind, input.value);
  });
  more.addEventListener("click", show);
  await search(pagefind, query);
} catch (error) {
  status.textContent = words.served;
  throw error;
}
