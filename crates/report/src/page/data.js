// What the snapshot has, from the columns in the page. Accounts and roles are numbers: the places of their rows. Those that only
// grants name come after those that are in the snapshot.

const DATA = JSON.parse(document.getElementById("data").textContent);
const { accounts: ACCOUNTS, roles: ROLES, grants: GRANTS, signInsAsked: SIGN_INS_ASKED } = DATA;
const KNOWN_ACCOUNTS = ACCOUNTS.id.length;
const ALL_ACCOUNTS = KNOWN_ACCOUNTS + ACCOUNTS.unknown.length;
const KNOWN_ROLES = ROLES.id.length;
const ALL_ROLES = KNOWN_ROLES + ROLES.unknown.length;

// true, false, or null where it is not known; undefined of an account that is not in the snapshot.
function flag(column, place) {
  return { 1: true, 0: false, "-": null }[column[place]];
}

function word(column, place) {
  const index = column.of[place];
  return index === null || index === undefined ? null : column.words[index];
}

function value(column, place) {
  return column[place] ?? null;
}

function accountId(account) {
  return account < KNOWN_ACCOUNTS ? ACCOUNTS.id[account] : ACCOUNTS.unknown[account - KNOWN_ACCOUNTS];
}

function fullName(account) {
  const names = [value(ACCOUNTS.givenName, account), value(ACCOUNTS.familyName, account)];
  const full = names.filter((part) => part !== null).join(" ");
  return full === "" ? null : full;
}

function roleId(role) {
  return role < KNOWN_ROLES ? ROLES.id[role] : ROLES.unknown[role - KNOWN_ROLES];
}

function roleName(role) {
  return value(ROLES.name, role) ?? `role ${roleId(role)}`;
}

// The grants of each account, or of each role: the places of those of one follow each other.
function grouped(column, groups) {
  const starts = new Uint32Array(groups + 1);
  for (const group of column) starts[group + 1] += 1;
  for (let group = 0; group < groups; group += 1) starts[group + 1] += starts[group];
  const next = starts.slice();
  const grants = new Uint32Array(column.length);
  column.forEach((group, grant) => {
    grants[next[group]] = grant;
    next[group] += 1;
  });
  return (group) => grants.subarray(starts[group], starts[group + 1]);
}

const grantsOf = grouped(GRANTS.account, ALL_ACCOUNTS);
const grantsTo = grouped(GRANTS.role, ALL_ROLES);

// The roles whose members are unknown, as the kinds of account that can hold them; null for any kind.
const UNKNOWN_ROLES = Array.from(everyPlace(KNOWN_ROLES)).filter(membersUnknown);
const KINDS_OF_UNKNOWN_ROLES = new Set(UNKNOWN_ROLES.map((role) => word(ROLES.accountKind, role)));

function membersUnknown(role) {
  return flag(ROLES.membersUnknown, role) === true;
}

// Whether an account may hold a role whose members are unknown.
function mayHoldUnknown(account) {
  const kind = word(ACCOUNTS.kind, account);
  return kind === null ? UNKNOWN_ROLES.length > 0 : KINDS_OF_UNKNOWN_ROLES.has(null) || KINDS_OF_UNKNOWN_ROLES.has(kind);
}

// Whether an account holds a role; null where no grant says so and it may hold one whose members are unknown.
function holds(account) {
  if (grantsOf(account).length > 0) return true;
  return mayHoldUnknown(account) ? null : false;
}

function everyPlace(count) {
  return Uint32Array.from({ length: count }, (_, place) => place);
}
