// A table that lives on the server: it searches, sorts and cuts; this shows one page of it and asks for another.

import { element, repeat, setState, setText } from "./dom.js";
import { count } from "./format.js";
import { ask, Refused } from "./source.js";

const PER_PAGE = ["25", "50", "100", "250"];
const TYPING_MS = 200;
const NAME_REM = 12; // the least width of a column of names, which takes what the others leave

function classes({ numeric, className = "" }) {
  return `${numeric ? "number " : ""}${className}`.trim();
}

// columns: [{title, width, sort, numeric, className, main(row), note(row), state(row), press(row)}]; the first is the header of its row.
// choice: {parameter, label, options: [[value, text]]}. empty(): what to say when there are no rows.
export class ServerTable {
  constructor(section, { id, title, path, columns, sort, search, choice, empty, one, many }) {
    Object.assign(this, { section, id, path, columns, empty, one, many, choice });
    const kept = new URLSearchParams(location.search);
    this.standard = { page: "1", per_page: "50" };
    if (search) this.standard.q = "";
    if (sort) Object.assign(this.standard, { sort, order: "asc" });
    if (choice) this.standard[choice.parameter] = "";
    this.asked = Object.fromEntries(
      Object.entries(this.standard).map(([name, value]) => [name, kept.get(`${id}.${name}`) ?? value]),
    );
    this.turn = 0;
    this.#build(title, search);
  }

  async load() {
    const turn = ++this.turn;
    const parameters = Object.entries(this.asked).filter(([, value]) => value !== "");
    try {
      const page = await ask(`${this.path}?${new URLSearchParams(parameters)}`);
      if (turn === this.turn) this.#show(page); // else the person asked for something else meanwhile
    } catch (problem) {
      // Without an answer the old rows stay; the page says above that they are old.
      if (turn === this.turn && problem instanceof Refused) this.#say(`This table cannot be shown. ${problem.message}`);
      throw problem;
    } finally {
      delete this.section.dataset.loading;
    }
  }

  #build(title, search) {
    const heading = element("h2", { id: `${this.id}-title`, text: title });
    this.total = element("p", { className: "total", role: "status" });
    const tools = element("div", { className: "tools" }, heading, this.total);
    if (this.choice) tools.append(this.#choice());
    if (search) tools.append(this.#search(search));
    this.body = element("tbody");
    const table = element(
      "table",
      { className: "rows steady" },
      element("caption", { className: "hidden", text: title }),
      this.#head(),
      this.body,
    );
    const always = this.columns.filter((column) => column.className !== "roomy");
    table.style.minWidth = `${always.reduce((sum, { width = NAME_REM }) => sum + width, 0)}rem`;
    const frame = element(
      "div",
      { className: "frame", tabindex: "0", role: "region", "aria-labelledby": `${this.id}-title` },
      table,
    );
    this.message = element("p", { className: "empty", text: "Loading" });
    this.section.append(tools, element("div", { className: "card" }, frame, this.message, this.#pager()));
  }

  #head() {
    const row = element("tr");
    this.heads = this.columns.map((column) => {
      const cell = element("th", { scope: "col", className: classes(column) });
      if (column.width) cell.style.width = `${column.width}rem`;
      if (column.sort) {
        const button = element("button", { type: "button", text: column.title });
        button.addEventListener("click", () => this.#sortBy(column));
        cell.append(button);
      } else {
        cell.textContent = column.title;
      }
      row.append(cell);
      return cell;
    });
    return element("thead", {}, row);
  }

  #search(label) {
    this.field = element("input", {
      type: "search",
      placeholder: label,
      "aria-label": label,
      autocomplete: "off",
      spellcheck: "false",
      maxlength: "130",
    });
    this.field.value = this.asked.q;
    let timer;
    this.field.addEventListener("input", () => {
      clearTimeout(timer);
      timer = setTimeout(() => this.#ask({ q: this.field.value.trim(), page: 1 }), TYPING_MS);
    });
    return this.field;
  }

  #choice() {
    const { parameter, label, options } = this.choice;
    const select = element("select", { "aria-label": label });
    for (const [value, text] of options) select.append(new Option(text, value, false, value === this.asked[parameter]));
    select.addEventListener("change", () => this.#ask({ [parameter]: select.value, page: 1 }));
    return select;
  }

  #pager() {
    this.range = element("span");
    this.previous = element("button", { type: "button", text: "Previous" });
    this.next = element("button", { type: "button", text: "Next" });
    this.previous.addEventListener("click", () => this.#ask({ page: Number(this.asked.page) - 1 }));
    this.next.addEventListener("click", () => this.#ask({ page: Number(this.asked.page) + 1 }));
    const size = element("select");
    for (const value of PER_PAGE) size.append(new Option(value, value, false, value === this.asked.per_page));
    size.addEventListener("change", () => this.#ask({ per_page: size.value, page: 1 }));
    const label = element("label", {}, "Rows ", size);
    this.pager = element("div", { className: "pager" }, this.range, this.previous, this.next, label);
    this.pager.hidden = true;
    return this.pager;
  }

  #sortBy(column) {
    const again = this.asked.sort === column.sort;
    const first = column.numeric ? "desc" : "asc"; // of numbers the big ones matter first
    const order = again ? (this.asked.order === "asc" ? "desc" : "asc") : first;
    this.#ask({ sort: column.sort, order, page: 1 });
  }

  #ask(change) {
    Object.assign(this.asked, change);
    const address = new URL(location.href);
    for (const [name, value] of Object.entries(this.asked)) {
      const key = `${this.id}.${name}`;
      if (String(value) === this.standard[name]) address.searchParams.delete(key);
      else address.searchParams.set(key, value);
    }
    history.replaceState(null, "", address);
    this.load().catch(() => {}); // said in the table already; the next refresh tries again
  }

  #show(page) {
    if (page.rows === null) {
      this.#say(Object.values(page.unavailable).join(" "));
      return;
    }
    const last = Math.max(1, Math.ceil(page.total / page.per_page));
    if (page.page > last) {
      this.#ask({ page: last });
      return;
    }
    this.columns.forEach((column, index) => this.#mark(this.heads[index], column));
    setText(this.total, `${count(page.total)} ${page.total === 1 ? this.one : this.many}`);
    repeat(
      this.body,
      page.rows,
      () => this.#row(),
      (row, value) => this.#fill(row, value),
    );
    const searched = Boolean(this.asked.q || (this.choice && this.asked[this.choice.parameter]));
    const missing = Object.values(page.unavailable).join(" ");
    const gaps = missing && `Incomplete: ${missing}`;
    setText(this.message, page.rows.length ? gaps : searched ? "Nothing matches." : this.empty());
    this.message.hidden = this.message.textContent === "";
    const first = (page.page - 1) * page.per_page;
    setText(this.range, `${count(first + 1)}–${count(first + page.rows.length)} of ${count(page.total)}`);
    this.previous.disabled = page.page <= 1;
    this.next.disabled = page.page >= last;
    this.pager.hidden = page.total <= Number(PER_PAGE[0]);
  }

  #mark(cell, column) {
    if (!column.sort) return;
    const sorted = column.sort === this.asked.sort;
    cell.setAttribute("aria-sort", sorted ? (this.asked.order === "asc" ? "ascending" : "descending") : "none");
  }

  #row() {
    const row = element("tr");
    this.columns.forEach((column, index) => {
      const cell = index === 0 ? element("th", { scope: "row" }) : element("td");
      cell.className = classes(column);
      const main = column.press ? element("button", { type: "button", className: "link" }) : element("span");
      if (column.press) main.addEventListener("click", () => column.press(row.value));
      cell.append(main);
      if (column.note) cell.append(element("small"));
      row.append(cell);
    });
    return row;
  }

  #fill(row, value) {
    row.value = value;
    this.columns.forEach((column, index) => {
      const cell = row.children[index];
      setText(cell.firstElementChild, column.main(value));
      if (column.note) setText(cell.lastElementChild, column.note(value));
      if (column.state) setState(cell, column.state(value));
    });
  }

  #say(text) {
    this.body.replaceChildren();
    setText(this.total, "");
    setText(this.message, text);
    this.message.hidden = false;
    this.pager.hidden = true;
  }
}
