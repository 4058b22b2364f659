CREATE TABLE run (
    -- How the snapshot came about: one row.
    id                         INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    contract                   TEXT NOT NULL,    -- the contract of what is in here: identity:connector@0.1.0
    connector                  TEXT NOT NULL,    -- the name of the connector, such as ninjaone
    connector_version          TEXT NOT NULL,
    base_url                   TEXT NOT NULL,    -- the tenant: where the connector connected to
    details                    TEXT NOT NULL CHECK (json_valid(details)), -- the details of accounts that were asked for: a JSON array
    started                    TEXT NOT NULL,    -- RFC 3339, UTC; so are all points in time
    finished                   TEXT,
    accounts                   INTEGER,          -- how many rows each table has; the listings said the same
    roles                      INTEGER,
    grants                     INTEGER,
    organizations              INTEGER,
    grants_of_unknown_accounts INTEGER,          -- grants whose account, or whose role, is not in here
    grants_of_unknown_roles    INTEGER,
    notices                    INTEGER,          -- how much was odd in what the connected system sent
    complete                   INTEGER NOT NULL CHECK (complete IN (0, 1)) -- 1: every listing ran to its end
) STRICT;

CREATE TABLE account (
    -- Somebody, or something, that can sign in. What the connected system did not send is NULL: not false, not empty.
    id                   TEXT NOT NULL PRIMARY KEY,
    kind                 TEXT,    -- such as technician or end-user
    external_id          TEXT,    -- a second, globally unique identifier
    email                TEXT,
    given_name           TEXT,
    family_name          TEXT,
    phone                TEXT,
    enabled              INTEGER CHECK (enabled IN (0, 1)),              -- may sign in
    administrator        INTEGER CHECK (administrator IN (0, 1)),        -- administers the connected system itself
    mfa_configured       INTEGER CHECK (mfa_configured IN (0, 1)),       -- has a second factor
    must_change_password INTEGER CHECK (must_change_password IN (0, 1)), -- at the next sign-in
    invitation           TEXT,    -- pending, accepted, expired, or as the connected system names it
    organization         TEXT,    -- an organization.id
    externally_managed   INTEGER CHECK (externally_managed IN (0, 1)),   -- an identity provider owns it; with --details management
    authentication       TEXT,    -- how it signs in; with --details management
    last_sign_in         TEXT,    -- with --details last-sign-in
    attributes           TEXT NOT NULL CHECK (json_valid(attributes)) -- everything else, by the connected system's names: a JSON object
) STRICT;

CREATE TABLE role (
    -- Something that an account can be given. Where attributes ->> 'members-unknown' is 1, it is not known who holds it: the role
    -- then has no grants in here, which says neither that nobody holds it nor that somebody lost it.
    id           TEXT NOT NULL PRIMARY KEY,
    name         TEXT,
    account_kind TEXT,    -- the only kind of account that can hold it
    description  TEXT,
    member_count INTEGER, -- as the connected system told it; NULL where it did not, also where it does not count
    attributes   TEXT NOT NULL CHECK (json_valid(attributes))
) STRICT;

CREATE TABLE grant (
    -- An account holds a role. Both may be missing from their tables: what the connected system sends is kept as it is.
    account    TEXT NOT NULL, -- an account.id
    role       TEXT NOT NULL, -- a role.id
    source     TEXT,          -- how it came about
    attributes TEXT NOT NULL CHECK (json_valid(attributes)),
    PRIMARY KEY (account, role)
) STRICT, WITHOUT ROWID;

CREATE TABLE organization (
    -- A customer or department that accounts belong to.
    id          TEXT NOT NULL PRIMARY KEY,
    name        TEXT,
    description TEXT,
    attributes  TEXT NOT NULL CHECK (json_valid(attributes))
) STRICT;
