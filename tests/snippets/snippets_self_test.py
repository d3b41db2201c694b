#!/usr/bin/env python3
"""Shows that snippets.py finds the blocks it must and refuses output that differs."""
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
import snippets  # noqa: E402

DOCUMENT = """# A page

```cpp
int main() {}
```

```output
one
```

```cpp-fragment
not compiled
```

  ```cpp
  two();
  ```

  ```cpp
  three();
  ```
"""


class SnippetsTest(unittest.TestCase):
    def test_finds_each_block_with_its_line_and_output(self):
        found = snippets.snippets_of(DOCUMENT)
        self.assertEqual([(s.line, s.text, s.expected) for s in found],
                         [(4, "int main() {}\n", "one\n"), (16, "two();\n", None), (20, "three();\n", None)])

    def test_output_without_its_program_is_refused(self):
        with self.assertRaises(SystemExit):
            snippets.snippets_of("```output\nx\n```\n")

    def test_equal_output_matches_and_other_output_does_not(self):
        self.assertTrue(snippets.matches("a\nb\n", "a\nb\n"))
        self.assertFalse(snippets.matches("a\nb\n", "a\nc\n"))
        self.assertFalse(snippets.matches("a\n", "a\nb\n"))
        self.assertFalse(snippets.matches("a\nb\n", "a\n"))

    def test_wildcards_stand_for_lines_and_parts_of_lines(self):
        self.assertTrue(snippets.matches("a\n...\nz\n", "a\nb\nc\nz\n"))
        self.assertTrue(snippets.matches("a\n...\nz\n", "a\nz\n"))
        self.assertFalse(snippets.matches("a\n...\nz\n", "a\nb\n"))
        self.assertTrue(snippets.matches("took <any> ms\n", "took 12.5 ms\n"))
        self.assertFalse(snippets.matches("took <any> ms\n", "took 12.5 s\n"))


if __name__ == "__main__":
    unittest.main()
