// What there is to look at: the rules behind the numbers in the table of findings, which the page has already counted.

// Whether both are so; null where that depends on what is not known.
function both(one, other) {
  if (one === false || other === false) return false;
  return one === true && other === true ? true : null;
}

// Of an account that is not in the snapshot, nothing is counted.
function disabledAndHolds(account) {
  const enabled = flag(ACCOUNTS.enabled, account);
  return enabled === undefined ? false : both(enabled === null ? null : !enabled, holds(account));
}

function noSignInAndHolds(account) {
  return both(ACCOUNTS.lastSignIn[account] === null, holds(account));
}

const FINDINGS = {
  administrators: {
    is: (account) => flag(ACCOUNTS.administrator, account) === true,
    notKnown: (account) => flag(ACCOUNTS.administrator, account) === null,
  },
  "disabled-with-roles": {
    is: (account) => disabledAndHolds(account) === true,
    notKnown: (account) => disabledAndHolds(account) === null,
  },
  "no-sign-in-with-roles": {
    is: (account) => SIGN_INS_ASKED && noSignInAndHolds(account) === true,
    notKnown: (account) => (SIGN_INS_ASKED ? noSignInAndHolds(account) === null : noSignInAndHolds(account) !== false),
  },
  "invitation-open": {
    is: (account) => ![null, "accepted"].includes(word(ACCOUNTS.invitation, account)),
    notKnown: (account) => account < KNOWN_ACCOUNTS && word(ACCOUNTS.invitation, account) === null,
  },
  "no-second-factor": {
    is: (account) => flag(ACCOUNTS.mfaConfigured, account) === false,
    notKnown: (account) => flag(ACCOUNTS.mfaConfigured, account) === null,
  },
  dangling: {
    is: (account) => account >= KNOWN_ACCOUNTS || grantsOf(account).some((grant) => GRANTS.role[grant] >= KNOWN_ROLES),
    notKnown: () => false,
  },
};

// Both answers of one finding widen what is shown, and several findings narrow it.
function matchesFindings(account, chosen) {
  for (const [finding, answers] of chosen) {
    const rules = FINDINGS[finding];
    const matches = [...answers].some((answer) => rules[answer](account));
    if (!matches) return false;
  }
  return true;
}

// Tells whether every word of a search is in a text. Texts are made once, when they are first needed.
function searcher(count, textOf) {
  let texts = null;
  return (search) => {
    const words = folded(search).split(/\s+/u).filter((part) => part !== "");
    if (words.length === 0) return () => true;
    texts ??= Array.from({ length: count }, (_, place) => folded(textOf(place)));
    return (place) => words.every((part) => texts[place].includes(part));
  };
}
