from native.seen_reference import SeenHashes as SeenHashes
