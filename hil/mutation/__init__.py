"""Would our tests catch it? Faults drawn at random into our own sources, and the tests run on each.

`python -m hil.mutation` draws; `sources` says where; `python_faults`, `c_faults`, `toml_faults`
what; `tree` holds the spoilt copies; `suite` chooses the tests that `recorder` saw run a line.
"""
