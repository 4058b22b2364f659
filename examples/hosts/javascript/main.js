// The NinjaOne connector on Node.js: lists accounts, grants a role, and catches an error by its type.

import { connector } from './connector/ninjaone_connector.js';
import { withDeadline } from './host.js';

/**
 * All resources of some kinds, page by page. A listing that is cut short throws: it is never a short list.
 *
 * @param {import('./connector/interfaces/identity-connector-types.js').ResourceKinds} kinds
 */
function* list(kinds) {
  /** @type {string | undefined} */
  let cursor;
  do {
    const page = withDeadline(() =>
      connector.list({ kinds, filter: {}, details: {}, cursor, limit: undefined }),
    );
    yield* page.items;
    cursor = page.next.tag === 'more' ? page.next.val : undefined;
  } while (cursor !== undefined);
}

const { title, version } = connector.describe();
console.log(`${title}, connector ${version}`);

const accounts = [...list({ accounts: true })].map((item) => item.val);
console.log(`accounts: ${accounts.length}`);

/** @type {string | undefined} */
let technicianRole;
const holders = new Set();
for (const item of list({ roles: true, grants: true })) {
  if (item.tag === 'role' && item.val.accountKind === 'technician') technicianRole ??= item.val.id;
  if (item.tag === 'grant') holders.add(item.val.account);
}
const newcomer = [...list({ accounts: true })].find(
  ({ tag, val }) => tag === 'account' && val.kind === 'technician' && !holders.has(val.id),
);
if (technicianRole === undefined || newcomer?.tag !== 'account') throw new Error('nobody to grant a role to');
const assignment = { account: newcomer.val.id, role: technicianRole };
for (let attempt = 0; attempt < 2; attempt++) {
  const { outcome } = withDeadline(() => connector.grant(assignment, 'apply'));
  console.log(`grant: ${outcome.tag}`);
}

try {
  withDeadline(() => connector.grant({ account: '999999', role: technicianRole }, 'plan'));
} catch (thrown) {
  // What the contract calls an error is thrown with the failure as its payload.
  const { error, message } = /** @type {{ payload: import('./connector/interfaces/identity-connector-types.js').Failure }} */ (thrown).payload;
  if (error.tag !== 'not-found') throw thrown;
  console.log(`not found: ${error.val.id}: ${message}`);
}
