"""How good a spine is, for people inside the lab: a page, its JSON, sampled review, the bias suite, a public record.

Nothing here is for publication: pages show small counts. What leaves the lab goes through `disclosure`.
"""
