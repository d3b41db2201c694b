#!/usr/bin/env python3
"""Runs the page's script in node, with a pretended document and a pretended server. usage: page_script_test.py SOURCES

What it needs to know of a browser is in DOCUMENT. Ends with 77 (skipped) where there is no node.
"""
import json
import re
import shutil
import subprocess
import sys
import unittest
from pathlib import Path

SOURCES = Path(sys.argv[1])

# Elements that keep what is put into them, and fail where something is set as markup.
DOCUMENT = r"""
class Node {
  constructor(tag) { this.tag = tag; this.children = []; this.style = {}; this.attributes = {}; this.own = ""; }
  append(...all) { for (const one of all) this.children.push(one instanceof Node ? one : Object.assign(new Node("#text"), {own: String(one)})); }
  replaceChildren() { this.children = []; this.own = ""; }
  setAttribute(name, value) { if (Number.isNaN(value) || String(value).includes("NaN")) throw new Error(name + " is no number"); this.attributes[name] = value; }
  set textContent(text) { this.children = []; this.own = String(text); }
  get textContent() { return this.own + this.children.map(c => c.textContent).join(" "); }
  set innerHTML(_) { throw new Error("text of a run was set as markup"); }
}
const elements = {};
globalThis.Node = Node;
globalThis.document = {hidden: false, title: "", documentElement: new Node("html"), getElementById: id => elements[id] ??= new Node(id),
  createElement: tag => new Node(tag), createElementNS: (_, tag) => new Node(tag)};
const answers = JSON.parse(process.argv[2]);
let asked = 0;
globalThis.fetch = async () => { const one = answers[asked++]; if (one === null) throw new Error("no answer"); return {ok: true, json: async () => one}; };
globalThis.setTimeout = (call, _) => { if (asked < answers.length) call(); else { process.stdout.write(JSON.stringify({title: document.title, ...Object.fromEntries(Object.entries(elements).map(([id, e]) => [id, e.textContent]))})); } };
"""

STATE = {
    "weft_page": 1, "seconds": 12.5, "now": 1.0e9, "counts": {"done": 40, "failed": 10, "total": 100, "per_second": 5.0},
    "memory": {"used": 1 << 20, "budget": 1 << 30, "spilled": 0, "spill_written": 3 << 20, "spill_read": 0}, "noted": 2,
    "workers": [{"name": "n1:0", "host": "n1", "slots": 2, "running": 1, "budget": 1 << 30, "answers": True, "used": 1 << 29, "resident": 1 << 29,
                 "spilled": 0, "done": 50, "per_second": 5.0, "busy": 1.5, "fetched": 5 << 20, "fetched_per_second": 1024.0},
                {"name": "n2:1", "host": "n2", "slots": 2, "running": 0, "budget": 1 << 30, "used": 0, "answers": False}],
    "lines": [{"name": "<b>parse</b>", "place": "main.cpp:7", "ended": 1, "failed": 1, "running": 1, "seconds": 0.25}],
    "tasks": [["n1:0", 0, 1.0e9 - 2, 0.5, "parse #1", "main.cpp:7", 0], ["n1:0", 1, 1.0e9 - 1, 0.000001, "parse #2", "main.cpp:7", 1]],
    "overhead_us": 1.25, "slots": 2, "wall": 12.0, "phases": [["kernel", 9.0], ["idle", 3.0]], "moved": [["main.cpp:7", 3, 2048]],
    "failures": [[1.0e9, "parse #2 (main.cpp:7): no data"]], "workers_news": [], "log": ["a line"]}
EMPTY = {**STATE, "counts": {"done": 0, "failed": 0, "total": 0, "per_second": 0}, "workers": [], "lines": [], "tasks": [], "moved": [],
         "failures": [], "log": [], "phases": [["kernel", 0]], "noted": 0}


def show(*states):
    """Returns the text of every element after these answers; None is a connection that is lost."""
    page = (SOURCES / "dashboard/page.cpp").read_text()
    script = re.search(r"<script>(.*)</script>", page, re.DOTALL)[1]
    done = subprocess.run(["node", "-", json.dumps(states)], input=DOCUMENT + script, capture_output=True, text=True, check=False, timeout=60)
    if done.returncode != 0 or not done.stdout:
        raise AssertionError(done.stderr or "the script has shown nothing")
    return json.loads(done.stdout)


class PageScriptTest(unittest.TestCase):
    def test_everything_of_a_state_is_shown(self):
        shown = show(STATE)
        self.assertEqual(shown["title"], "weft 50%")
        self.assertIn("40 of 100 tasks done, 1 running, 49 waiting, 10 failed; 5 a second, about 10.0 s left", shown["counts"])
        self.assertIn("Spilled 3.0 MiB", shown["counts"])
        self.assertIn("n1:0 n1 1 of 2 1.50 50 5", shown["workers"])
        self.assertIn("n2:1 (no answer)", shown["workers"])
        self.assertIn("kernel 75.0%", shown["keys"])
        self.assertIn("overhead 1.25 us a task", shown["keys"])
        self.assertIn("<b>parse</b> main.cpp:7 1 1 1 250 ms 125 ms", shown["lines"])
        self.assertIn("main.cpp:7 3 2.0 KiB", shown["moved"])
        self.assertIn("parse #2 (main.cpp:7): no data", shown["failures"])
        self.assertIn("parse #1 (main.cpp:7), 500 ms", shown["tasks"])
        self.assertIn("parse #2 (main.cpp:7), 1.00 us, failed", shown["tasks"])
        self.assertEqual(shown["events"], "none")
        self.assertEqual(shown["state"], "live")

    def test_a_run_that_has_done_nothing_yet_is_shown(self):
        shown = show(EMPTY)
        self.assertIn("0 of 0 tasks done, 0 running, 0 waiting, 0 failed", shown["counts"])
        self.assertEqual(shown["failures"], "none")

    def test_a_lost_connection_is_told_and_tried_again(self):
        shown = show(STATE, None, None)
        self.assertIn("no answer since", shown["state"])
        self.assertIn("40 of 100", shown["counts"])
        self.assertEqual(show(STATE, None, EMPTY)["state"], "live")
        self.assertIn("no answer yet", show(None)["state"])


if __name__ == "__main__":
    if shutil.which("node") is None:
        print("skipped: there is no node here")
        sys.exit(77)
    unittest.main(argv=[sys.argv[0], *sys.argv[2:]])
