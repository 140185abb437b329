"""Old logs, of other programs and of Pynfo's own, into the archive.

`times.py` reads times, `readers.py` is what the readers of the formats share, and each format has a file of
its own. `names.py` tells a file's channel by its path, `files.py` gives its lines, `formats.py` finds its
format, and `importing.py` brings it all together.
"""
