// What a report has to say, from what the connector listed: JSON Lines, and neither the snapshot nor the code that reads it.

import fs from "node:fs";

export class Expected {
  static read(file) {
    const lines = fs.readFileSync(file, "utf8").split("\n").filter((line) => line !== "");
    return new Expected(lines.map((line) => JSON.parse(line)));
  }

  constructor(items) {
    const of = (type) => items.filter((item) => item.type === type);
    this.accounts = of("account");
    this.roles = of("role");
    this.grants = of("grant");
    this.organizations = of("organization");
    // Where there is a sign-in, sign-ins were asked for.
    this.signInsAsked = this.accounts.some((account) => account.lastSignIn !== null);
    this.holders = new Set(this.grants.map((grant) => grant.account));
    this.unknownRoles = this.roles.filter((role) => role.attributes["members-unknown"] === true);
  }

  // The identifiers behind each number in the table of findings; null where nothing was asked for.
  findings() {
    const holding = (account) => this.holding(account);
    const noSignIn = this.answers((account) => account.lastSignIn === null && holding(account));
    return {
      administrators: this.answers((account) => account.administrator),
      "disabled-with-roles": this.answers((account) => (account.enabled === true || holding(account) === false ? false : account.enabled === null ? null : holding(account))),
      "no-sign-in-with-roles": this.signInsAsked ? noSignIn : { is: null, notKnown: [...noSignIn.is, ...noSignIn.notKnown] },
      "invitation-open": this.answers((account) => account.invitation && account.invitation !== "accepted"),
      "no-second-factor": this.answers((account) => account.mfaConfigured === null ? null : !account.mfaConfigured),
      dangling: { is: this.dangling(), notKnown: null },
    };
  }

  // Whether an account holds a role; null where it may hold one whose members are unknown.
  holding(account) {
    if (this.holders.has(account.id)) return true;
    const may = (role) => role.accountKind === null || account.kind === null || role.accountKind === account.kind;
    return this.unknownRoles.some(may) ? null : false;
  }

  answers(answer) {
    return { is: this.ids((account) => answer(account) === true), notKnown: this.ids((account) => answer(account) === null) };
  }

  ids(is) {
    return this.accounts.filter(is).map((account) => account.id);
  }

  dangling() {
    const accounts = new Set(this.accounts.map((account) => account.id));
    const roles = new Set(this.roles.map((role) => role.id));
    const grants = this.grants.filter((grant) => !accounts.has(grant.account) || !roles.has(grant.role));
    return [...new Set(grants.map((grant) => grant.account))];
  }

  // Everybody who is listed: also those that only grants name.
  everybody() {
    return [...new Set([...this.accounts.map((account) => account.id), ...this.holders])];
  }

  members(role) {
    return this.grants.filter((grant) => grant.role === role).map((grant) => grant.account);
  }
}
