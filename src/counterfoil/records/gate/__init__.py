"""Opening files that nobody trusts: what they are, a zip pre-check, and a child process with limits that reads them.

The child imports this package, so it imports nothing heavy.
"""
