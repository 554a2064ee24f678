"""Extracts and provider files: read, check, standardise."""
