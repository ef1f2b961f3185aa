#!/usr/bin/env python3
"""Drives a database with the IDL of Python's `ovs` package: creates a bridge with ports, sees them in
another replica, sees what the switch reports, and what happens when a transaction is refused.

usage: python_idl.py REMOTE"""

import sys
import time
import uuid

import ovs.db.idl
import ovs.jsonrpc
import ovs.poller
import ovs.stream

TIMEOUT = 20


def get_schema(remote):
    error, stream = ovs.stream.Stream.open_block(ovs.stream.Stream.open(remote))
    assert not error, error
    rpc = ovs.jsonrpc.Connection(stream)
    request = ovs.jsonrpc.Message.create_request("get_schema", ["Open_vSwitch"])
    error, reply = rpc.transact_block(request)
    assert not error, error
    rpc.close()
    return reply.result


class Replica:
    def __init__(self, remote, schema):
        helper = ovs.db.idl.SchemaHelper(schema_json=schema)
        helper.register_all()
        self.idl = ovs.db.idl.Idl(remote, helper)

    def rows(self, table):
        return list(self.idl.tables[table].rows.values())

    def named(self, table, name):
        return next((row for row in self.rows(table) if row.name == name), None)

    def until(self, what, condition):
        deadline = time.monotonic() + TIMEOUT
        while time.monotonic() < deadline:
            self.idl.run()
            if result := condition():
                print(f"  {what}")
                return result
            poller = ovs.poller.Poller()
            self.idl.wait(poller)
            poller.timer_wait(200)
            poller.block()
        sys.exit(f"waited in vain for: {what}")

    def commit(self, change, expected=ovs.db.idl.Transaction.SUCCESS):
        """Makes a change in one transaction, and waits for the switch if it succeeded."""
        txn = ovs.db.idl.Transaction(self.idl)
        switch = self.rows("Open_vSwitch")[0]
        change(txn, switch)
        switch.increment("next_cfg")
        status = txn.commit_block()
        if status != expected:
            sys.exit(f"transaction: {status} instead of {expected}: {txn.get_error()}")
        return txn


def main():
    remote = sys.argv[1]
    schema = get_schema(remote)
    writer, reader = Replica(remote, schema), Replica(remote, schema)
    for replica in (writer, reader):
        replica.until("a replica has its copy", lambda: replica.rows("Open_vSwitch"))

    def add_bridge(txn, switch):
        def insert(table, **columns):
            row = txn.insert(txn.idl.tables[table])
            for column, value in columns.items():
                setattr(row, column, value)
            return row

        ports = []
        for number in (1, 2):
            name = f"idl{number}"
            interface = insert("Interface", name=name, type="dummy", ofport_request=number)
            ports.append(insert("Port", name=name, interfaces=[interface], tag=number))
        ports.append(insert("Port", name="br-idl", interfaces=[insert("Interface", name="br-idl", type="internal")]))
        bridge = insert("Bridge", name="br-idl", datapath_type="dummy", ports=ports, fail_mode="secure")
        switch.addvalue("bridges", bridge)

    writer.commit(add_bridge)
    bridge = reader.until("the other replica has the bridge", lambda: reader.named("Bridge", "br-idl"))
    assert sorted(port.name for port in bridge.ports) == ["br-idl", "idl1", "idl2"], bridge.ports
    assert [p.tag for p in bridge.ports if p.name == "idl2"] == [[2]]

    def applied():
        switch = reader.rows("Open_vSwitch")[0]
        return switch.cur_cfg >= switch.next_cfg > 0

    reader.until("the switch applied it", applied)
    reader.until(
        "the switch gave the ports numbers",
        lambda: [reader.named("Interface", f"idl{n}").ofport for n in (1, 2)] == [[1], [2]])

    def same_name(txn, switch):
        row = txn.insert(txn.idl.tables["Bridge"])
        row.name = "br-idl"
        switch.addvalue("bridges", row)

    refused = writer.commit(same_name, ovs.db.idl.Transaction.ERROR)
    assert "constraint violation" in refused.get_error(), refused.get_error()
    print("  a second bridge of the same name is refused")

    def set_key(txn, switch):
        writer.named("Bridge", "br-idl").setkey("external_ids", "owner", "idl")

    writer.commit(set_key)
    reader.until("a key of a map reaches the other replica", lambda: bridge.external_ids == {"owner": "idl"})

    reader.idl.cond_change("Interface", [["name", "==", "idl1"]])
    reader.until(
        "a condition leaves one interface in the replica",
        lambda: [row.name for row in reader.rows("Interface")] == ["idl1"])

    lock = f"weir_{uuid.uuid4().hex}"
    writer.idl.set_lock(lock)
    writer.until("one replica has the lock", lambda: writer.idl.has_lock)
    reader.idl.set_lock(lock)
    reader.until("the other one has not", lambda: reader.idl.is_lock_contended)
    writer.idl.set_lock(None)
    writer.idl.run()
    reader.until("and gets it when it is free", lambda: reader.idl.has_lock)
    reader.idl.set_lock(None)

    def remove(txn, switch):
        switch.delvalue("bridges", writer.named("Bridge", "br-idl"))

    writer.commit(remove)
    reader.until("the bridge and its ports are gone", lambda: not reader.rows("Bridge") and not reader.rows("Port"))


if __name__ == "__main__":
    main()
