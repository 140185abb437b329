"""`@command` and `Request`: what a plugin's command handlers see.

The mark is data on the function (`CommandSpec`), read when the plugin is loaded: importing a plugin registers
nothing.
"""
