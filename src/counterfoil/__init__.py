"""Counterfoil: a data lab in a box. See docs/ for the tutorial and GLOSSARY.md for the words."""

__version__ = "0.1.0"
