// A list: a table of which one page is shown, sorted by any of its columns.

const COLLATOR = new Intl.Collator("en", { numeric: true, sensitivity: "base" });
const PAGE_SIZES = [25, 50, 100, 500, 2000];

class List {
  // columns: title, key (what to sort by; null is not known), cell (what to show, a list of nodes), number (whether it is one)
  // details: what to show below a row, where there is more
  constructor({ section, caption, what, rows, columns, details }) {
    Object.assign(this, { caption, what, all: rows, found: rows, columns, details });
    this.page = 0;
    this.size = 50;
    this.sorted = { column: null, ascending: true };
    this.ranks = new Map();
    this.build(section.querySelector(".list"));
  }

  build(place) {
    this.status = element("p", { class: "found", role: "status" });
    this.captionNode = element("caption");
    this.heads = this.columns.map((column) => this.head(column));
    const head = element("thead", { role: "rowgroup" }, element("tr", { role: "row" }, ...this.heads));
    this.body = element("tbody", { role: "rowgroup" });
    const table = element("table", { role: "table" }, this.captionNode, head, this.body);
    place.append(this.status, table, this.pager());
  }

  head(column) {
    const arrow = element("span", { class: "arrow", "aria-hidden": "true" });
    const button = element("button", { type: "button", click: () => this.sortBy(column) }, column.title, arrow);
    return element("th", { scope: "col", role: "columnheader", class: column.number ? "number" : undefined }, button);
  }

  pager() {
    const button = (title, step) => element("button", { type: "button", click: () => this.turn(step) }, title);
    this.previous = button("Previous", -1);
    this.next = button("Next", 1);
    this.place = element("span");
    const sizes = PAGE_SIZES.map((size) => element("option", { value: String(size) }, number(size)));
    const select = element("select", { change: () => this.resize(Number(select.value)) }, ...sizes);
    select.value = String(this.size);
    const label = element("label", {}, "Rows per page", select);
    return element("nav", { class: "pager", "aria-label": `Pages of ${this.what[1]}` }, this.previous, this.place, this.next, label);
  }

  // Shows the rows for which this holds. The description becomes part of the caption.
  show(matches, description) {
    this.matches = matches;
    this.description = description;
    this.found = this.inOrder().filter(matches);
    this.page = 0;
    this.render();
  }

  sortBy(column) {
    const again = this.sorted.column === column;
    this.sorted = { column, ascending: again ? !this.sorted.ascending : true };
    this.show(this.matches, this.description);
  }

  inOrder() {
    const { column, ascending } = this.sorted;
    if (column === null) return this.all;
    if (!this.ranks.has(column)) this.ranks.set(column, this.rank(column));
    const { known, unknown } = this.ranks.get(column);
    // What is not known is last either way.
    return [...(ascending ? known : known.toReversed()), ...unknown];
  }

  rank(column) {
    const keys = new Map(Array.from(this.all, (row) => [row, column.key(row)]));
    const known = Array.from(this.all).filter((row) => keys.get(row) !== null);
    const unknown = Array.from(this.all).filter((row) => keys.get(row) === null);
    const compare = (a, b) => (typeof a === "number" ? a - b : COLLATOR.compare(a, b));
    known.sort((a, b) => compare(keys.get(a), keys.get(b)));
    return { known, unknown };
  }

  turn(step) {
    const page = this.page + step;
    if (page < 0 || page >= this.pages()) return;
    this.page = page;
    this.render();
  }

  resize(size) {
    this.page = Math.floor((this.page * this.size) / size);
    this.size = size;
    this.render();
  }

  pages() {
    return Math.max(1, Math.ceil(this.found.length / this.size));
  }

  render() {
    const first = this.page * this.size;
    const rows = Array.from(this.found.slice(first, first + this.size));
    this.body.replaceChildren(...rows.map((row) => this.row(row)));
    const count = this.found.length;
    const shown = count > this.size ? `${number(first + 1)} to ${number(first + rows.length)} of ` : "";
    this.status.textContent = `${shown}${number(count)} ${this.what[count === 1 ? 0 : 1]}`;
    this.captionNode.replaceChildren(visible(this.caption + this.description));
    this.place.textContent = `Page ${number(this.page + 1)} of ${number(this.pages())}`;
    this.previous.setAttribute("aria-disabled", String(this.page === 0));
    this.next.setAttribute("aria-disabled", String(this.page + 1 === this.pages()));
    this.columns.forEach((column, place) => this.tellOrder(column, this.heads[place]));
  }

  tellOrder(column, head) {
    const { column: sorted, ascending } = this.sorted;
    head.querySelector(".arrow").textContent = sorted === column ? (ascending ? "▲" : "▼") : "";
    if (sorted === column) head.setAttribute("aria-sort", ascending ? "ascending" : "descending");
    else head.removeAttribute("aria-sort");
  }

  row(row) {
    const cells = this.columns.map((column, place) => {
      const attributes = { class: column.number ? "number" : undefined };
      if (place === 0) return element("th", { scope: "row", role: "rowheader" }, ...column.cell(row, (button) => this.toggle(row, button)));
      return element("td", { role: "cell", "data-label": column.title, ...attributes }, ...column.cell(row));
    });
    return element("tr", { role: "row" }, ...cells);
  }

  // Opens or closes what there is more of a row.
  toggle(row, button) {
    const open = button.getAttribute("aria-expanded") === "true";
    button.setAttribute("aria-expanded", String(!open));
    const tr = button.closest("tr");
    if (open) {
      tr.nextElementSibling.remove();
      return;
    }
    const cell = element("td", { role: "cell", colspan: String(this.columns.length) }, ...this.details(row));
    tr.after(element("tr", { role: "row", class: "details" }, cell));
  }
}
