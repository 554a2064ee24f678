"""What `make bench` and its kin measure. Each work runs in a process of its own; see harness.py."""
