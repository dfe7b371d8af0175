"""``python -m kazgeo.worker``: greets, takes jobs, ends when nobody is left."""

from __future__ import annotations

import argparse
import json
import platform
import sys

from kazgeo import __version__
from kazgeo.worker import PROTOCOL


def main() -> int:
    """Run the engine; ``--version`` prints what it is, as JSON, and ends."""
    parser = argparse.ArgumentParser(prog="python -m kazgeo.worker", description=__doc__)
    parser.add_argument("--version", action="store_true", help="print versions as JSON and end")
    parser.add_argument("--idle", type=float, default=600.0, help="end after so many seconds without a job")
    given = parser.parse_args()
    who = {"kazgeo": __version__, "protocol": PROTOCOL, "python": platform.python_version()}
    if given.version:
        print(json.dumps(who))
        return 0
    from kazgeo.worker.channel import Channel, listen

    channel = Channel()
    channel.send("hello", **who)
    listen(channel)
    from kazgeo.worker import jobs

    jobs.preload()
    while (job := channel.next_job(given.idle)) is not None:
        jobs.do(job, channel)
    return 0


if __name__ == "__main__":
    sys.exit(main())
