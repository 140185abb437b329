"""Prints the table of a run; exit status 1 where the relay broke a promise, or the run its back.

Usage: python -m bench.torture [--messages 10000] [--pace 45] [--kills 2] [--seed 1]
"""

import argparse
import asyncio
import signal
import sys
import tempfile
from pathlib import Path

from bench.torture.run import Failure, Plan, Run
from bench.torture.table import table


def arguments():
    usual = Plan()
    parser = argparse.ArgumentParser(prog="python -m bench.torture")
    parser.add_argument("--messages", type=int, default=usual.messages, help="spoken on each side")
    parser.add_argument("--pace", type=float, default=usual.pace, help="messages a second on each side")
    parser.add_argument("--kills", type=int, default=usual.kills, help="of each daemon and of the bot")
    parser.add_argument("--down", type=float, default=usual.down, help="seconds that what was killed is dead")
    parser.add_argument("--seed", type=int, default=usual.seed, help="for the order and the moments of kills")
    parser.add_argument("--keep", type=Path, help="a new folder for configs, state and the bot's log")
    return parser.parse_args()


async def torture(plan, folder):
    """Runs; SIGTERM ends it as Ctrl-C does, with nothing left behind."""
    task = asyncio.current_task()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    return await Run(plan, folder).run()


def main():
    given = vars(arguments())
    keep = given.pop("keep")
    with tempfile.TemporaryDirectory() as temporary:
        folder = keep or Path(temporary)
        folder.mkdir(parents=True, exist_ok=keep is None)
        try:
            report = asyncio.run(torture(Plan(**given), folder))
        except Failure as failure:
            sys.exit(f"The run failed: {failure}")
        except (KeyboardInterrupt, asyncio.CancelledError):
            sys.exit("Ended before its end.")
    text, kept = table(report)
    print(text)
    sys.exit(0 if kept else 1)


if __name__ == "__main__":
    main()
