"""Our own scorer: Splink models, columns encoded once, pairs never stored, strings compared only when it matters."""
