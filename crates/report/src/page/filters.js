// What there is to look at: the rules behind the numbers in the table of findings, which the page has already counted.

const FINDINGS = {
  administrators: {
    is: (account) => flag(ACCOUNTS.administrator, account) === true,
    notKnown: (account) => flag(ACCOUNTS.administrator, account) === null,
  },
  "disabled-with-roles": {
    is: (account) => flag(ACCOUNTS.enabled, account) === false && holds(account),
    notKnown: (account) => flag(ACCOUNTS.enabled, account) === null && holds(account),
  },
  "no-sign-in-with-roles": {
    is: (account) => SIGN_INS_ASKED && ACCOUNTS.lastSignIn[account] === null && holds(account),
    notKnown: (account) => !SIGN_INS_ASKED && ACCOUNTS.lastSignIn[account] === null && holds(account),
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
