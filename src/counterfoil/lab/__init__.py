"""A lab on disk: settings, paths, keys, roles, atomic writes, progress."""
