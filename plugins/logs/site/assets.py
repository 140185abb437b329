"""The files of the site that never change under their address: style sheet, script, icon.

An address has a hash of what the file holds: `/static/style.1f0c….css`. The files are read once, so no path
that somebody asks for ever reaches the disk.
"""

from __future__ import annotations

import gzip
from hashlib import sha256
from pathlib import Path

import msgspec

HERE = Path(__file__).parent
STATIC = HERE / "static"
HASH_LETTERS = 16
TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".woff2": "font/woff2",
}


class Asset(msgspec.Struct, frozen=True):
    content: bytes
    compressed: bytes
    media_type: str


class Assets:
    """The files of a folder, by their hashed names."""

    def __init__(self, folder: Path = STATIC) -> None:
        self._assets: dict[str, Asset] = {}
        self._hashed: dict[str, str] = {}  # by the plain name
        for path in sorted(folder.iterdir()):
            if path.suffix in TYPES:
                self._take(path)

    def address(self, name: str) -> str:
        """Where a file is: `style.css` is at `/static/style.<hash>.css`. Raises `KeyError`."""
        return f"/static/{self._hashed[name]}"

    def find(self, hashed: str) -> Asset | None:
        """The file of a hashed name."""
        return self._assets.get(hashed)

    def named(self, name: str) -> Asset:
        """The file of a plain name. Raises `KeyError`."""
        return self._assets[self._hashed[name]]

    def _take(self, path: Path) -> None:
        content = path.read_bytes()
        hashed = f"{path.stem}.{sha256(content).hexdigest()[:HASH_LETTERS]}{path.suffix}"
        self._hashed[path.name] = hashed
        self._assets[hashed] = Asset(content, gzip.compress(content, mtime=0), TYPES[path.suffix])


def version(folder: Path = HERE.parent) -> str:
    """Changes whenever the code or the templates that make pages do: it is a part of every ETag."""
    digest = sha256()
    for path in sorted(folder.rglob("*")):
        if path.suffix in {".py", ".html", ".xml", *TYPES} and path.is_file():
            content = path.read_bytes()
            digest.update(f"{path.relative_to(folder)} {len(content)}\n".encode())
            digest.update(content)
    return digest.hexdigest()[:HASH_LETTERS]
