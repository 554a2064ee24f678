"""The batch: standardised records, kept models, slices scored pair by pair, products clustered, each stage kept.

A stage that is there already (same inputs, model and settings) is not run again, so a run that fails or is killed goes
on where it stopped; what a stage writes appears whole or not at all.
"""
