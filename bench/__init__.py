"""How fast the product is beside what limits it and beside others, in one run on one machine.

``python -m bench`` (``make bench``) starts a PostgreSQL of its own, runs every contestant in turn,
prints one table with ratios and writes it to docs/performance.md. Figures of different runs, or of
different machines, say nothing beside one another.
"""
