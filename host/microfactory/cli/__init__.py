"""The command line. Each command is one call of the library; docs/command-line.md lists them."""
