"""Our own scorer: Splink's model, every column encoded once, pairs never stored, strings compared only when it matters."""
