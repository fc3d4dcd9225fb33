"""How tests tell what they found: a line each, and an exit status."""

import sys
import time

failed = 0


def check(what, holds, detail=""):
    global failed
    failed += not holds
    print(f"  {'ok ' if holds else 'FAILED'}  {what}" + ("" if holds else f": {detail!r}"), flush=True)
    return holds


def verdict():
    """Ends the program: 1 when anything did not hold."""
    sys.exit(failed > 0)


def eventually(look, seconds=10):
    """What look() gives as soon as that is true, for what gives no event to wait for; else its last."""
    end = time.monotonic() + seconds
    while not (value := look()) and time.monotonic() < end:
        time.sleep(0.05)
    return value
