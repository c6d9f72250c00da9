"""A run that announces what it is told to on its standard input, in a process of its own.

    python announcer.py CONFIG SPOOL RUN_ID

Each line is a number of messages to announce. ``sent`` is answered when none of them waits any
more, ``waiting N`` when it has given up. At the end of the input the run ends.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._watch.bus import connect
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._watch.messages import (
    Sender,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._watch.spool import (
    Message,
    Spool,
)


def main(config: str, spool_path: str, run_id: str) -> None:
    """Run."""
    spool = Spool(Path(spool_path))
    sender = Sender(spool, run_id=run_id, connect=lambda: connect(Path(config), timeout_seconds=3))
    number = 0
    for line in sys.stdin:
        for _unused in range(int(line)):
            number += 1
            sender.send(
                Message("logging.stats.test", {"run": run_id, "number": number}, f"at {number}")
            )
        while len(spool) and not sender.warnings():
            time.sleep(0.02)
        print("sent" if not len(spool) else f"waiting {len(spool)}", flush=True)
    sender.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
