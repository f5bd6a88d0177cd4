"""Measures the Python original as measure.mjs does the others: original.py PAYLOADS FOLDER."""
import json
import os
import sqlite3
import sys
import time

sys.path.insert(0, os.getcwd())
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from mnema.core.log import OpLog
from mnema.core.operations import Operation

with open(sys.argv[1]) as file:
    payloads = [line for line in file]
path = sys.argv[2] + "/one.db"
key = Ed25519PrivateKey.generate()
log = OpLog(path)
ids = []


def rate(work):
    start = time.perf_counter()
    work()
    return len(payloads) / (time.perf_counter() - start)


def one():
    for n, payload in enumerate(payloads):
        op = Operation.create(key, "evidence.add", 1718000000000 + n, ids[-1:], json.loads(payload))
        log.append(op)
        ids.append(op.op_id)


def every():
    assert sum(1 for _ in log.iter_ops()) == len(payloads)


def get():
    for n in range(len(payloads)):
        log.get(ids[n * 7919 % len(payloads)])


rates = {"one": rate(one), "all": rate(every), "get": rate(get)}
log.close()
version = "SQLite " + sqlite3.sqlite_version
print(json.dumps({"version": version, **rates, "bytes": os.path.getsize(path) / len(payloads)}))
