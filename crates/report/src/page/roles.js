// The list of roles: how many hold each, and how many of them there is something to say about.

const HELD_BY = Array.from({ length: ALL_ROLES }, (_, role) => Array.from(grantsTo(role), (grant) => GRANTS.account[grant]));

function countOf(role, finding, answer) {
  return HELD_BY[role].filter((account) => FINDINGS[finding][answer](account)).length;
}

// A column that counts members, with those of whom it is not known told apart.
function membersWho(title, finding) {
  return {
    title,
    number: true,
    key: (role) => (membersUnknown(role) ? null : countOf(role, finding, "is")),
    cell: (role) => {
      if (membersUnknown(role)) return [notKnown()];
      const [is, unknown] = ["is", "notKnown"].map((answer) => countOf(role, finding, answer));
      const also = unknown === 0 ? [] : [" ", element("small", {}, `+ ${number(unknown)} not known`)];
      return is === 0 && unknown > 0 ? [element("small", {}, `${number(unknown)} not known`)] : [number(is), ...also];
    },
  };
}

// The number of members, and the connected system's own where that is another.
function members(role) {
  if (membersUnknown(role)) return [mark("members unknown")];
  const held = HELD_BY[role].length;
  const told = value(ROLES.memberCount, role);
  return told === null || told === held ? [number(held)] : [number(held), " ", mark(`${number(told)} told`)];
}

function roleColumns(showMembers) {
  const signIns = SIGN_INS_ASKED ? [membersWho("No sign-in on record", "no-sign-in-with-roles")] : [];
  return [
    {
      title: "Role",
      key: roleName,
      cell: (role) => {
        const button = element("button", { type: "button", class: "plain", click: () => showMembers(role) }, name(roleName(role)), element("span", { class: "unseen" }, ": show its members"));
        const unknown = role < KNOWN_ROLES ? [] : [" ", mark("not in the snapshot")];
        return [button, ...unknown, element("small", {}, name(roleId(role)))];
      },
    },
    { title: "For", key: (role) => word(ROLES.accountKind, role), cell: (role) => [nameOrNotKnown(word(ROLES.accountKind, role))] },
    { title: "Members", number: true, key: (role) => (membersUnknown(role) ? null : HELD_BY[role].length), cell: members },
    membersWho("Administrators", "administrators"),
    membersWho("Disabled", "disabled-with-roles"),
    ...signIns,
    membersWho("No second factor", "no-second-factor"),
    { title: "Description", key: (role) => value(ROLES.description, role), cell: (role) => [nameOrNotKnown(value(ROLES.description, role))] },
  ];
}

function roleList(showMembers) {
  const section = document.getElementById("roles-section");
  const list = new List({ section, caption: "Roles and their members", what: ["role", "roles"], rows: everyPlace(ALL_ROLES), columns: roleColumns(showMembers) });
  const search = section.querySelector("input");
  const found = searcher(ALL_ROLES, (role) => [roleName(role), roleId(role), value(ROLES.description, role), word(ROLES.accountKind, role)].join(" "));
  const apply = () => list.show(found(search.value), search.value.trim() === "" ? "" : `: “${search.value.trim()}”`);
  search.addEventListener("input", apply);
  apply();
}
