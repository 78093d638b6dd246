"""Parts that not every board has. Their programs are loaded only where its page names them."""


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


def contactor(board):
    """What watches the contactor of the configuration; without one the charge pump runs now."""
    items = board.config["inputs"]
    for i in range(len(items)):
        if items[i]["role"] == "contactor":
            from mfboard.contactor import Contactor

            return Contactor(board, i)
    board.port.power(True)
    return None
