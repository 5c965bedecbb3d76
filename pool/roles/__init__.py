"""The four roles: each module builds one out of its parts and the configuration, and runs it."""
