"""The link to bitcoind: JSON-RPC off the reactor thread, and new tips."""
