"""Clerical review: which pairs people look at, what they are shown, what they answered, and how far they agree.

For the linker role alone. No screen and no terminal in here; `counterfoil review` and the portal stand on it.
"""
