"""Who sees what of the dashboard, and what operators may order through it."""
