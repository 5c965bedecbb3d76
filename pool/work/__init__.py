"""From a block template to jobs, and from a share to a block."""
