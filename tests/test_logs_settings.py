"""What `pynfo check` says of the settings of the logs."""

from pathlib import Path

import pytest

from pynfo.config import load
from pynfo.plugin_check import check_plugins


@pytest.mark.parametrize(
    ("channels", "mistake"),
    [
        ('{"#pynfo": {}}', "'#pynfo' is no channel: write \"network/#channel\""),
        ('{"libera/pynfo": {}}', "libera/pynfo: 'pynfo' is no channel: did you mean '#pynfo'?"),
        ('{"libera/#a b": {}}', "libera/#a b: '#a b' is no channel: write # and a name without spaces and "
         "commas"),
        ('{"liberia/#pynfo": {}}', "liberia/#pynfo: there is no network 'liberia': did you mean 'libera'?"),
        ('{"api/#pynfo": {}}', "api/#pynfo: /api is an address of the site: give the network another short "
         "name"),
        ('{"libera/#a": {}, "libera/#A": {}}', "libera/#A and libera/#a are the same channel: write it once"),
        ('{"libera/#a": {"keep": "90"}}', 'channels: libera/#a: keep="90" is no length of time: '
         'write such as "90 days"'),
        ('{"libera/#a": {"keep": "1 hour"}}', 'channels: libera/#a: keep="1 hour" is too short a time to '
         'keep a log: write "1 day" or more'),
    ],
)  # fmt: skip
def test_a_mistake_says_where_it_is_and_what_to_write(tmp_path: Path, channels: str, mistake: str) -> None:
    path = tmp_path / "config.py"
    path.write_text(
        "from pynfo.config import Network\n"
        'networks = [Network(name, host="irc.test") for name in ("libera", "api")]\n'
        f'plugins = {{"logs": {{"channels": {channels}}}}}\n'
    )

    assert [found.text for found in check_plugins(load(path))] == [f"logs: {mistake}"]
