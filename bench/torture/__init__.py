"""Does the relay lose or repeat anything while daemons and the bot are killed? `make relay-torture`."""
