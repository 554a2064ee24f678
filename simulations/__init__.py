"""`make simulate`: how often intervals hold a truth that is known because it was planted.

Design and seeds are fixed here before any result; what came out is in results.json and docs/explanation/validation.md.
"""
