// The only script of the pages: it sorts tables, and loads a page again that asks for it. A page is whole without it.
"use strict";
const reload = document.getElementById("reload");
const again = reload && reload.querySelector("input");
if (again) {
  reload.hidden = false;
  setInterval(() => { if (again.checked && !document.hidden) location.reload(); }, 30000);
}
const value = (row, column) => row.cells[column].textContent.trim();
const number = (text) => text === "" ? NaN : Number(text.replace(/[,%]/g, "").replace("−", "-"));
function compare(first, second) {
  const [one, other] = [number(first), number(second)];
  if (!Number.isNaN(one) && !Number.isNaN(other)) return one - other;
  return first.localeCompare(second, "en", { numeric: true });
}
for (const table of document.querySelectorAll("table")) {
  const body = table.tBodies[0];
  const heads = [...table.tHead.rows[0].cells];
  if (body.rows.length < 3) continue;
  heads.forEach((head, column) => {
    if (!head.textContent.trim()) return;
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      const order = head.getAttribute("aria-sort") === "ascending" ? "descending" : "ascending";
      heads.forEach((other) => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", order);
      const rows = [...body.rows].sort((one, other) => compare(value(one, column), value(other, column)));
      body.append(...(order === "descending" ? rows.reverse() : rows));
      if (again) again.checked = false; // a page that was loaded again would not be sorted any more
    });
  });
}
