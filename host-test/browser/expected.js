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
  }

  // The identifiers behind each number in the table of findings; null where nothing was asked for.
  findings() {
    const holding = (account) => this.holders.has(account.id);
    const noSignIn = this.ids((account) => account.lastSignIn === null && holding(account));
    return {
      administrators: this.answers((account) => account.administrator),
      "disabled-with-roles": this.answers((account) => (holding(account) && account.enabled !== null ? !account.enabled : holding(account) ? null : false)),
      "no-sign-in-with-roles": this.signInsAsked ? { is: noSignIn, notKnown: [] } : { is: null, notKnown: noSignIn },
      "invitation-open": this.answers((account) => account.invitation && account.invitation !== "accepted"),
      "no-second-factor": this.answers((account) => account.mfaConfigured === null ? null : !account.mfaConfigured),
      dangling: { is: this.dangling(), notKnown: null },
    };
  }

  answers(answer) {
    return { is: this.ids((account) => answer(account)), notKnown: this.ids((account) => answer(account) === null) };
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
