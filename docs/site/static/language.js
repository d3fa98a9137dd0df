// The language switch keeps the place on the page where both languages have it.
for (const link of document.querySelectorAll(".kecoa-languages a, a.kecoa-other-language")) {
  link.addEventListener("click", () => {
    if (location.search) link.search = location.search;
  });
}
