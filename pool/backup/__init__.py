"""All of a pool's truth in one place, taken while it runs, and put back elsewhere. Decision 0091."""
