"""People to index events: the register's cohort side, selection, attrition. Sees no outcome."""
