"""The books in SQL: one module for each part of a transaction, and what the dashboard reads."""
