"""Is every line of a board where it belongs? Weak pulls, then a burst with a signature on each.

`lines` names them, `bursts` says what each plays, `bench` plays and listens, `diagnose` says in
words what is wrong. `net` is a wiring as a circuit, and `miswire` spoils it: for `campaign`.
"""
