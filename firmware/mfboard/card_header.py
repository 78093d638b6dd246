"""The JSON header of a job file, read byte by byte: what the board needs of it, and no more.

A header may be longer than the board's memory (it holds the machine file and the proof), so it is
never held: a value that is wanted is kept, everything else passes by.
"""

WANTED = (
    "firmware", "machine.name", "machine.sha256", "program.name", "program.sha256",
    "proof.verdict", "protocol", "schema", "windows_sha256", "moves",
)  # fmt: skip
TEXT = 128  # of a key or a value that is wanted; longer ones are none of ours
DEEP = 24


class Header:
    """Feed it every byte; then `facts` has what was wanted, as text."""

    def __init__(self):
        self.facts = {}
        self.sections = 0  # how many there are
        self.windows = 0  # all of theirs
        self.sections_at = -1  # where their list begins, counted from the first byte
        self.whole = False
        self.broken = False
        self._at = 0
        self._depth = 0
        self._kinds = bytearray(DEEP)  # 1: an object, 2: a list
        self._names = ["", "", "", ""]
        self._text = bytearray(TEXT)
        self._length = 0
        self._string = False
        self._escape = False
        self._key = False

    def feed(self, data, begin, end):
        """Bytes begin to end - 1."""
        i = begin
        while i < end:
            c = data[i]
            self._at += 1
            i += 1
            if self._string:
                if self._escape:
                    self._escape = False
                    self._put(c)
                elif c == 92:  # backslash
                    self._escape = True
                elif c == 34:  # quote
                    self._string = False
                else:
                    self._put(c)
            elif c == 34:
                self._string = True
                self._length = 0
            else:
                self._mark(c)

    def _put(self, c):
        if self._length < TEXT:
            self._text[self._length] = c
        self._length += 1

    def _mark(self, c):
        """A byte outside of any string."""
        if c == 123 or c == 91:  # { [
            self._open(c == 123)
        elif c == 125 or c == 93:  # } ]
            self._value()
            self._depth -= 1
            self._key = False
            self.whole = self._depth == 0
            self.broken = self.broken or self._depth < 0
        elif c == 58:  # :
            if self._depth < len(self._names):
                self._names[self._depth] = self._take()
            self._key = False
            self._length = 0
        elif c == 44:  # ,
            self._value()
            self._key = self._kinds[self._depth] == 1
        else:
            self._put(c)

    def _open(self, is_object):
        self._depth += 1
        if self._depth >= DEEP:
            self.broken = True
            self._depth = DEEP - 1
        self._kinds[self._depth] = 1 if is_object else 2
        self._key = is_object
        self._length = 0
        if self._depth == 2 and not is_object and self._names[1] == "sections":
            self.sections_at = self._at
        elif self._depth == 3 and is_object and self._names[1] == "sections":
            self.sections += 1

    def _take(self):
        return bytes(self._text[: self._length]).decode() if self._length <= TEXT else ""

    def _value(self):
        """A value has ended, if there was one."""
        length = self._length
        if length == 0 or length > TEXT or self._key:
            self._length = 0
            return
        if self._depth == 1:
            name = self._names[1]
        elif self._depth == 2 and self._kinds[2] == 1:
            name = self._names[1] + "." + self._names[2]
        elif self._depth == 3 and self._names[1] == "sections" and self._names[3] == "windows":
            self.windows += int(self._take())
            name = ""
        else:
            name = ""
        if name in WANTED:
            self.facts[name] = self._take()
        self._length = 0
