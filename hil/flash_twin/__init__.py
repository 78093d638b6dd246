"""Twins for flashing: a flash chip that can lose its power, a chip in its boot ROM, a REPL."""
