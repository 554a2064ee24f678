"""When the sources begin and end, and which years are evaluated."""

from __future__ import annotations

import datetime as dt

from counterfoil.population.calendar import day

FIRST_DAY = day(dt.date(2000, 1, 1))  # no offence before
LAST_DAY = day(dt.date(2021, 12, 31))  # nothing proven later is in the sources
FIRST_EVALUATED = day(dt.date(2016, 1, 1))  # index dates of the programmes
LAST_EVALUATED = day(dt.date(2019, 12, 31))  # 12 months of follow-up and 6 of waiting lie inside the sources
FOLLOW_UP_MONTHS = 12
WAITING_MONTHS = 6
