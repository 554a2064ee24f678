"""Every seed and size of the simulations. Committed before any result was seen; a change is a new study, not a repair.

While the code was written only seeds from `TRYING_OUT` on were drawn, none of which is counted.
"""

from __future__ import annotations

TABLES = 20_261_126  # table number i is drawn from [TABLES, i]
LINK_ERRORS = 20_261_127
HIDDEN = 20_261_128
IMMORTAL = 20_261_129
CONTROL = 20_261_130  # table i of choice c is drawn from [CONTROL, c, i]
LABS = range(101, 121)  # one population each; tests/integration/test_twenty_labs.py has 1 to 20
TRYING_OUT = 9_000_000  # added to every seed when something is only tried out

N_TABLES = 2_000
N_LINK_TABLES = 1_000
N_HIDDEN_TABLES = 500  # for each strength
N_CONTROL_TABLES = 1_000  # for each choice
N_IMMORTAL = 2_000_000  # people a side
LAB_PEOPLE = 20_000
