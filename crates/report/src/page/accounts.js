// The list of accounts, its filters, and what there is more of each account.

// How many roles a cell names; the rest is behind the name of the account.
const MOST_ROLES = 4;

function yesOrNo(answer, yes, no) {
  if (answer === null || answer === undefined) return notKnown();
  const text = answer ? yes : no;
  return typeof text === "string" ? document.createTextNode(text) : text();
}

// As the snapshot tells it: a day for the list, everything for the details.
function signIn(account, whole) {
  if (account >= KNOWN_ACCOUNTS) return notKnown();
  const time = ACCOUNTS.lastSignIn[account];
  if (time !== null) return document.createTextNode(whole ? time.replace("T", " ").replace("Z", " UTC") : time.slice(0, 10));
  return SIGN_INS_ASKED ? document.createTextNode("none on record") : notKnown();
}

function invitation(account) {
  const state = word(ACCOUNTS.invitation, account);
  return state === null || state === "accepted" ? nameOrNotKnown(state) : mark(state);
}

function order(answer) {
  return answer === null || answer === undefined ? null : Number(answer);
}

// The role that is filtered by comes first.
function rolesOf(account, first) {
  const grants = Array.from(grantsOf(account));
  return [...grants.filter((grant) => GRANTS.role[grant] === first), ...grants.filter((grant) => GRANTS.role[grant] !== first)];
}

function roleNames(account, first) {
  const grants = rolesOf(account, first);
  if (grants.length === 0) return [holds(account) === null ? notKnown() : element("span", { class: "none" }, "none")];
  const shown = grants.slice(0, MOST_ROLES).flatMap((grant, place) => [place > 0 ? ", " : "", name(roleName(GRANTS.role[grant]))]);
  const more = grants.length - MOST_ROLES;
  return more > 0 ? [...shown, `, and ${number(more)} more`] : shown;
}

function accountCell(account, toggle) {
  const full = account < KNOWN_ACCOUNTS ? fullName(account) : null;
  const email = value(ACCOUNTS.email, account);
  const id = accountId(account);
  const button = element("button", { type: "button", class: "plain", "aria-expanded": "false", click: () => toggle(button) }, name(full ?? email ?? `account ${id}`));
  const unknown = account < KNOWN_ACCOUNTS ? [] : [" ", mark("not in the snapshot")];
  const below = full === null || email === null ? [name(id)] : [name(email), " · ", name(id)];
  return [button, ...unknown, element("small", {}, ...below)];
}

function accountColumns(chosen) {
  return [
    { title: "Account", key: (account) => (account < KNOWN_ACCOUNTS ? [value(ACCOUNTS.familyName, account), value(ACCOUNTS.givenName, account)].filter(Boolean).join(" ") || null : null), cell: accountCell },
    { title: "Kind", key: (account) => word(ACCOUNTS.kind, account), cell: (account) => [nameOrNotKnown(word(ACCOUNTS.kind, account))] },
    { title: "State", key: (account) => order(flag(ACCOUNTS.enabled, account)), cell: (account) => [yesOrNo(flag(ACCOUNTS.enabled, account), "enabled", () => mark("disabled"))] },
    { title: "Administrator", key: (account) => order(flag(ACCOUNTS.administrator, account)), cell: (account) => [yesOrNo(flag(ACCOUNTS.administrator, account), () => mark("yes"), "no")] },
    { title: "Second factor", key: (account) => order(flag(ACCOUNTS.mfaConfigured, account)), cell: (account) => [yesOrNo(flag(ACCOUNTS.mfaConfigured, account), "set up", () => mark("none"))] },
    { title: "Invitation", key: (account) => word(ACCOUNTS.invitation, account), cell: (account) => [invitation(account)] },
    { title: "Last sign-in", key: (account) => value(ACCOUNTS.lastSignIn, account), cell: (account) => [signIn(account, false)] },
    { title: "Organization", key: (account) => word(ACCOUNTS.organization, account), cell: (account) => [nameOrNotKnown(word(ACCOUNTS.organization, account))] },
    { title: "Roles", key: (account) => (holds(account) === null ? null : grantsOf(account).length), cell: (account) => roleNames(account, chosen.role) },
  ];
}

function accountDetails(account) {
  const known = (term, node) => element("div", {}, element("dt", {}, term), element("dd", {}, node));
  const managed = yesOrNo(flag(ACCOUNTS.externallyManaged, account), "yes, by an identity provider", "no");
  const facts = element(
    "dl",
    {},
    known("Identifier", name(accountId(account))),
    known("Address", nameOrNotKnown(value(ACCOUNTS.email, account))),
    known("Signs in by", nameOrNotKnown(word(ACCOUNTS.authentication, account))),
    known("Last sign-in", signIn(account, true)),
    known("Managed elsewhere", managed),
  );
  return grantsOf(account).length === 0 ? [facts] : [facts, grantTable(account)];
}

function grantTable(account) {
  const rows = rolesOf(account, null).map((grant) => {
    const role = GRANTS.role[grant];
    const unknown = role < KNOWN_ROLES ? [] : [" ", mark("not in the snapshot")];
    const source = nameOrNotKnown(word(GRANTS.source, grant));
    return element("tr", { role: "row" }, element("th", { scope: "row", role: "rowheader" }, name(roleName(role)), ...unknown), element("td", { role: "cell", "data-label": "Comes from" }, source));
  });
  const head = element("tr", { role: "row" }, element("th", { scope: "col", role: "columnheader" }, "Role"), element("th", { scope: "col", role: "columnheader" }, "Comes from"));
  return element("table", { role: "table" }, element("caption", {}, "Roles held"), element("thead", { role: "rowgroup" }, head), element("tbody", { role: "rowgroup" }, ...rows));
}

function accountText(account) {
  const roles = Array.from(grantsOf(account), (grant) => roleName(GRANTS.role[grant]));
  const fields = [fullName(account), value(ACCOUNTS.email, account), accountId(account), word(ACCOUNTS.kind, account), word(ACCOUNTS.organization, account)];
  return [...fields, ...roles].filter((field) => field !== null).join(" ");
}

// Puts the choices into a list of which the first is no choice.
function fill(select, any, choices) {
  select.append(element("option", { value: "" }, any), ...choices.map(([value, title]) => element("option", { value: String(value) }, title)));
}

class AccountFilters {
  constructor(section, changed) {
    this.search = section.querySelector("input");
    this.roleSelect = document.getElementById("role-filter");
    this.kindSelect = document.getElementById("kind-filter");
    this.boxes = [];
    this.role = null;
    const byName = Array.from(everyPlace(ALL_ROLES)).sort((a, b) => COLLATOR.compare(roleName(a), roleName(b)));
    fill(this.roleSelect, "Any", byName.map((role) => [role, roleName(role)]));
    fill(this.kindSelect, "Any", ACCOUNTS.kind.words.map((kind, place) => [place, kind]));
    this.addFindings(changed);
    this.search.addEventListener("input", changed);
    this.roleSelect.addEventListener("change", changed);
    this.kindSelect.addEventListener("change", changed);
    for (const form of document.querySelectorAll("form")) form.addEventListener("submit", (event) => event.preventDefault());
    document.getElementById("clear").addEventListener("click", () => {
      this.clear();
      changed();
    });
  }

  // A box for each number in the table of findings.
  addFindings(changed) {
    const place = document.getElementById("findings-filter");
    for (const cell of document.querySelectorAll("[data-finding]")) {
      const finding = cell.dataset.finding;
      const title = cell.closest("tr").querySelector("th").firstChild.textContent;
      const unknown = document.querySelector(`[data-not-known="${finding}"]`);
      place.append(element("div", {}, this.box(finding, "is", title, cell, changed), this.box(finding, "notKnown", "not known", unknown, changed, title)));
    }
  }

  box(finding, answer, title, cell, changed, of = null) {
    const count = cell.textContent;
    // What was not asked for can only be not known; and where nothing is unknown, there is nothing to choose.
    if (count.startsWith("–")) return element("span", {}, `${title}: not asked for`);
    if (of !== null && ["", "0"].includes(count)) return element("span");
    const input = element("input", { type: "checkbox", change: changed });
    this.boxes.push({ finding, answer, title: of === null ? title : `${of}: not known`, input });
    const about = of === null ? [] : [element("span", { class: "unseen" }, `${of}: `)];
    return element("label", {}, input, element("span", {}, ...about, `${title} (${count})`));
  }

  clear() {
    this.search.value = "";
    this.roleSelect.value = "";
    this.kindSelect.value = "";
    for (const { input } of this.boxes) input.checked = false;
  }

  chooseOnly(finding, answer) {
    this.clear();
    for (const box of this.boxes) box.input.checked = box.finding === finding && box.answer === answer;
  }

  // What is chosen, as a rule and in words.
  read(found) {
    const chosen = new Map();
    const checked = this.boxes.filter(({ input }) => input.checked);
    for (const { finding, answer } of checked) chosen.set(finding, [...(chosen.get(finding) ?? []), answer]);
    this.role = this.roleSelect.value === "" ? null : Number(this.roleSelect.value);
    const kind = this.kindSelect.value === "" ? null : Number(this.kindSelect.value);
    const members = this.role === null ? null : new Set(HELD_BY[this.role]);
    const text = found(this.search.value);
    const words = [
      ...(this.role === null ? [] : [`holding ${roleName(this.role)}${membersUnknown(this.role) ? ", whose members are unknown" : ""}`]),
      ...(kind === null ? [] : [`of the kind ${ACCOUNTS.kind.words[kind]}`]),
      ...checked.map(({ title }) => title),
      ...(this.search.value.trim() === "" ? [] : [`“${this.search.value.trim()}”`]),
    ];
    const matches = (account) =>
      (members === null || members.has(account)) && (kind === null || ACCOUNTS.kind.of[account] === kind) && matchesFindings(account, chosen) && text(account);
    return { matches, description: words.length === 0 ? "" : `: ${words.join("; ")}` };
  }
}

function accountCaption() {
  const unknown = ALL_ACCOUNTS - KNOWN_ACCOUNTS;
  const also = unknown === 0 ? "" : `, with ${number(unknown)} that only grants name`;
  return `Accounts and the roles they hold${also}`;
}

function accountList() {
  const section = document.getElementById("accounts-section");
  const found = searcher(ALL_ACCOUNTS, accountText);
  const apply = () => {
    const { matches, description } = filters.read(found);
    list.show(matches, description);
  };
  const filters = new AccountFilters(section, apply);
  const list = new List({ section, caption: accountCaption(), what: ["account", "accounts"], rows: everyPlace(ALL_ACCOUNTS), columns: accountColumns(filters), details: accountDetails });
  apply();
  return { filters, apply };
}
