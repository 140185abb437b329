"""The program `pynfo`, also as `python -m pynfo`.

`pynfo run [CONFIG]`, which is how a service starts it, goes without the command line's library (12 ms, and
1 MiB for as long as the bot runs). Everything else is in `pynfo.cli`.
"""

from __future__ import annotations

import sys

CONFIG = "config.py"  # where no other config file is named


def main() -> None:
    """Do what the command line says, and exit."""
    words = sys.argv[1:]
    if words[:1] == ["run"] and len(words) <= 2 and not words[-1].startswith("-"):
        from pynfo.runner import run

        sys.exit(run(words[1] if len(words) == 2 else CONFIG))
    from pynfo.cli import cli

    cli(prog_name="pynfo")


if __name__ == "__main__":
    main()
