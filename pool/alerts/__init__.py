"""What people are told without asking: what is wrong, since when, and when it is over."""
