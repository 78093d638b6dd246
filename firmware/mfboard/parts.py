"""Parts that not every board has, loaded only where its page, or the configuration, names them."""


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


def fetch(config):
    """What this configuration needs of the program, where lack of memory is said in words."""
    for item in config["inputs"]:
        if item["role"] == "contactor":
            from mfboard import contactor  # noqa: F401
    if "idle" in config:
        from mfboard import idle  # noqa: F401


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
