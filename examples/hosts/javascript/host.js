// What the connector asks of its host: see wit/host.wit. HTTP and clocks come from @bytecodealliance/preview2-shim.

/** @type {Record<string, string | undefined>} */
const values = {
  'base-url': process.env.NINJAONE_BASE_URL,
  'client-id': process.env.NINJAONE_CLIENT_ID,
  'client-secret': process.env.NINJAONE_CLIENT_SECRET,
  scope: process.env.NINJAONE_SCOPE,
};

export const settings = {
  /** @param {string} key */
  get: (key) => values[key],
};

export const logging = {
  /**
   * @param {string} level
   * @param {string} message
   * @param {{ name: string, value: string }[]} fields
   */
  log(level, message, fields) {
    if (level === 'warn' || level === 'error') {
      console.error(level, message, ...fields.map(({ name, value }) => `${name}=${value}`));
    }
  },
};

/** How long one call may take, in milliseconds. */
const DEADLINE = 60_000;
let callEndsAt = 0;

export const deadline = {
  timeLeft: () => BigInt(Math.max(0, callEndsAt - Date.now())),
};

/**
 * Starts the time that one call has.
 *
 * @template T
 * @param {() => T} call
 */
export function withDeadline(call) {
  callEndsAt = Date.now() + DEADLINE;
  return call();
}
