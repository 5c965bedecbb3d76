"""Jobs to the stratum role and block candidates back, as msgpack frames."""
