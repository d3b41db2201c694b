#!/usr/bin/env python3
"""Writes Avro files with fastavro, has weft read and write them, and reads them again with fastavro.

usage: avro_oracle.py AVRO_COPY

Exits 77 (skipped) where there is no fastavro. WEFT_TEST_PYTHON names another interpreter that has it.
"""
import glob
import json
import os
import random
import subprocess
import sys
import tempfile

import interpreter

interpreter.use_named()
try:
    import fastavro
except ImportError:
    interpreter.skip("fastavro")

RANDOM = random.Random(7)
EVENT = {"type": "record", "name": "Event", "namespace": "lab", "fields": [
    {"name": "id", "type": "long"}, {"name": "small", "type": "int"}, {"name": "name", "type": "string"},
    {"name": "raw", "type": "bytes"}, {"name": "level", "type": ["null", "double", "string"]},
    {"name": "short", "type": "float"}, {"name": "good", "type": "boolean"},
    {"name": "kind", "type": {"type": "enum", "name": "Kind", "symbols": ["A", "B", "C"]}},
    {"name": "tags", "type": {"type": "array", "items": ["null", "string"]}},
    {"name": "more", "type": {"type": "map", "values": {"type": "array", "items": "long"}}},
    {"name": "mark", "type": {"type": "fixed", "name": "Mark", "size": 4}},
    {"name": "next", "type": ["null", "Event"]}]}


def event(depth=0):
    number = RANDOM.randrange(-2**62, 2**62)
    return {"id": number, "small": RANDOM.randrange(-2**31, 2**31), "name": "größe " * RANDOM.randrange(4),
            "raw": RANDOM.randbytes(RANDOM.randrange(20)), "level": RANDOM.choice([None, RANDOM.random(), "low"]),
            "short": RANDOM.randrange(1000) / 8, "good": RANDOM.random() < 0.5, "kind": RANDOM.choice("ABC"),
            "tags": [RANDOM.choice([None, "x", "yy"]) for _ in range(RANDOM.randrange(5))],
            "more": {f"k{i}": list(range(i)) for i in range(RANDOM.randrange(4))}, "mark": RANDOM.randbytes(4),
            "next": event(depth + 1) if depth < 3 and RANDOM.random() < 0.3 else None}


CASES = {"event": (EVENT, [event() for _ in range(3000)]), "none": (EVENT, []), "long": ("long", list(range(-500, 70000))),
         "text": ({"type": "string"}, ["", "a", "b" * 100000]), "null": ("null", [None] * 1000)}


def main():
    checked = 0
    # A client refuses variables that it does not know.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("WEFT_")}
    with tempfile.TemporaryDirectory() as folder:
        for name, (schema, values) in CASES.items():
            source, schema_file = os.path.join(folder, name + ".avro"), os.path.join(folder, name + ".json")
            with open(schema_file, "w") as out:
                json.dump(schema, out)
            for codec in ("null", "deflate"):
                with open(source, "wb") as out:
                    fastavro.writer(out, fastavro.parse_schema(schema), values, codec=codec, sync_interval=4000)
                for block in ("0", "10000"):
                    target = os.path.join(folder, f"{name}-{codec}-{block}-*.out")
                    subprocess.run([sys.argv[1], source, target, codec, schema_file, block], check=True,
                                   env=environment)
                    back = []
                    for path in sorted(glob.glob(target)):
                        with open(path, "rb") as file:
                            reader = fastavro.reader(file)
                            assert reader.codec == codec, reader.codec
                            back += list(reader)
                    assert back == values, f"{name}, {codec}, blocks of {block}: {len(back)} of {len(values)}"
                    checked += 1
    print(f"{checked} files are equal")


main()
