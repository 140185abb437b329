"""The `bot` fixture for plugin authors."""
