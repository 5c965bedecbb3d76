"""What lies in docker/."""
