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
