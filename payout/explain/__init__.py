"""What was credited, paid and owed, in words and numbers that a person can follow by hand."""
