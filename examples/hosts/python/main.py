"""The NinjaOne connector in Python: lists accounts, grants a role, and catches an error by its type."""

import os
import sys
import time

from wasmtime import Engine, Store, WasiConfig
from wasmtime.component import Component, Linker, Record, Variant

COMPONENT = os.environ.get("COMPONENT", "../../../target/ninjaone_connector.wasm")
VERSION = "0.1.0"
# How long one call may take, in seconds.
DEADLINE = 60


def record(**fields):
    """A record; names are written with underscores for hyphens."""
    made = Record()
    for name, value in fields.items():
        setattr(made, name.replace("_", "-"), value)
    return made


class Failure(Exception):
    """A failure of the contract: `error` is the variant that a host acts on."""

    def __init__(self, failure):
        super().__init__(failure.message)
        self.error = failure.error


class Connector:
    """One instance of the connector, for one tenant."""

    def __init__(self, settings):
        engine = Engine()
        linker = Linker(engine)
        linker.add_wasip2()
        linker.add_wasi_http()
        self.ends = 0.0
        with linker.root() as root:
            with root.add_instance(f"identity:connector/settings@{VERSION}") as instance:
                instance.add_func("get", lambda _, key: settings.get(key))
            with root.add_instance(f"identity:connector/logging@{VERSION}") as instance:
                instance.add_func("log", self._log)
            with root.add_instance(f"identity:connector/deadline@{VERSION}") as instance:
                instance.add_func("time-left", self._time_left)
        self.store = Store(engine)
        self.store.set_wasi(WasiConfig())
        self.store.set_wasi_http()
        component = Component.from_file(engine, COMPONENT)
        self.instance = linker.instantiate(self.store, component)
        self.exports = self.instance.get_export_index(self.store, f"identity:connector/connector@{VERSION}")

    def call(self, name, *arguments):
        """Calls a function of the contract; raises `Failure` where it fails."""
        self.ends = time.monotonic() + DEADLINE
        export = self.instance.get_export_index(self.store, name, self.exports)
        function = self.instance.get_func(self.store, export)
        result = function(self.store, *arguments)
        function.post_return(self.store)
        if isinstance(result, Variant):
            if result.tag == "err":
                raise Failure(result.payload)
            return result.payload
        return result

    def list(self, *kinds):
        """All resources of some kinds, page by page. A listing that is cut short raises: it is never a short list."""
        nothing = dict(id=None, email=None, account_kind=None, account=None, role=None, since=None)
        cursor = None
        while True:
            request = record(kinds=set(kinds), filter=record(**nothing), details=set(), cursor=cursor, limit=None)
            page = self.call("list", request)
            yield from page.items
            # A variant whose cases differ in type has no tag here: a cursor is text, a summary is a record.
            if not isinstance(page.next, str):
                return
            cursor = page.next

    @staticmethod
    def _log(_, level, message, fields):
        if level in ("warn", "error"):
            print(level, message, *(f"{field.name}={field.value}" for field in fields), file=sys.stderr)

    def _time_left(self, _):
        return max(0, int((self.ends - time.monotonic()) * 1000))


def main():
    names = {"base-url": "BASE_URL", "client-id": "CLIENT_ID", "client-secret": "CLIENT_SECRET", "scope": "SCOPE"}
    connector = Connector({key: os.environ.get(f"NINJAONE_{name}") for key, name in names.items()})
    description = connector.call("describe")
    print(f"{description.title}, connector {description.version}")

    accounts = [item.payload for item in connector.list("accounts")]
    print(f"accounts: {len(accounts)}")

    role, holders = None, set()
    for item in connector.list("roles", "grants"):
        if item.tag == "role" and getattr(item.payload, "account-kind") == "technician":
            role = role or item.payload.id
        elif item.tag == "grant":
            holders.add(item.payload.account)
    newcomer = next(a for a in accounts if a.kind == "technician" and a.id not in holders)
    assignment = record(account=newcomer.id, role=role)
    for _ in range(2):
        change = connector.call("grant", assignment, "apply")
        print(f"grant: {change.outcome.tag}")

    try:
        connector.call("grant", record(account="999999", role=role), "plan")
    except Failure as failure:
        if failure.error.tag != "not-found":
            raise
        missing = failure.error.payload
        print(f"not found: {missing.id}: {failure}")


if __name__ == "__main__":
    main()
