"""Provider files: what an organisation sends the lab, from bytes nobody trusts to rows that are each accounted for.

Import from the modules (`submission`, `check`, `template`): the child process that opens files imports this package,
and must stay small.
"""
