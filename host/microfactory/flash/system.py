"""The one place that names the system: everything else takes these names from here.

For macOS or Windows write a file with the names of system_linux.py and choose it here.
"""

from microfactory.flash.system_linux import (
    GROUP_HINT,
    INSTALL_RULE,
    UDEV_RULE,
    Port,
    System,
    look,
    usb_where,
)

__all__ = ["GROUP_HINT", "INSTALL_RULE", "UDEV_RULE", "Port", "System", "look", "usb_where"]
