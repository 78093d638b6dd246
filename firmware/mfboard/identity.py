"""Which firmware this is: its version, and the hash of the sources that it was made of.

Where it goes onto a chip the hash is written in (microfactory.flash.payload); in memory the rig
tells it.
"""

VERSION = "0.1.0"
SOURCES = ""


def text(sources=SOURCES):
    """As WELCOME tells it."""
    return ("microfactory " + VERSION + (" " + sources if sources else "")).encode()
