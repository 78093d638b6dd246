"""Parts that not every board has, loaded only where its page, or the configuration, names them."""

NO_MEMORY = "the board has no memory left for it; reset the board and connect again"


def drivers(board):
    """Those on a wire, or None."""
    if not hasattr(board.port.page, "DRIVERS"):
        return None
    from mfboard.drivers import Drivers

    return Drivers(board)


def card(board):
    """What plays jobs without a host, or None."""
    if not hasattr(board.port.page, "CARD"):
        return None
    from mfboard.card import Card

    return Card(board)


def read(board, length):
    """A configuration that is whole: (its text, what it says), or what is wrong with it."""
    try:
        from mfboard.config import ConfigError, parse

        text = bytes(board.config_bytes[:length])
        try:
            config = parse(text, board.port.page)
        except ConfigError as error:
            return str(error)
    except MemoryError:
        return NO_MEMORY
    return text, config


def fetch(board, config):
    """Load what this configuration needs of the program. What is wrong, or nothing."""
    try:
        for item in config["inputs"]:
            if item["role"] == "contactor":
                from mfboard import contactor  # noqa: F401
        if "idle" in config:
            from mfboard import idle  # noqa: F401
        if config["height"] and not board.port.holds_height:
            return "this board's program holds no height; leave out [height]"
    except MemoryError:
        return NO_MEMORY
    return ""


def contactor(board):
    """What watches the contactor of the configuration; without one the charge pump runs now."""
    items = board.config["inputs"]
    for i in range(len(items)):
        if items[i]["role"] == "contactor":
            from mfboard.contactor import Contactor

            return Contactor(board, i)
    board.port.power(True)
    return None


def idle(board):
    """What switches drivers off when nobody is there, or None: they stay on."""
    if "idle" not in board.config:
        return None
    from mfboard.idle import Idle

    return Idle(board, board.config["idle"])


def same(text, data, length):
    """Whether data holds this text again, as after each connect: seen without taking memory."""
    if len(text) != length:
        return False
    i = 0
    while i < length:
        if text[i] != data[i]:
            return False
        i += 1
    return True
