"""How fast is Pynfo, beside a bare bot in the same run? `make bench` prints the table."""
