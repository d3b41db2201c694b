"""The interpreter that has the packages which files are compared with."""
import os
import sys


def use_named():
    """Begins anew in the interpreter that WEFT_TEST_PYTHON names, if it names one."""
    if os.environ.get("WEFT_TEST_PYTHON") and "WEFT_ORACLE_INNER" not in os.environ:
        os.environ["WEFT_ORACLE_INNER"] = "1"
        python = os.environ["WEFT_TEST_PYTHON"]
        os.execv(python, [python, *sys.argv])


def skip(what):
    """Ends a test that lacks something here."""
    print(f"no {what} here: skipped")
    sys.exit(77)
