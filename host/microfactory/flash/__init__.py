"""Flashing and updating boards. Use its modules: `from microfactory.flash import picoboot`."""
