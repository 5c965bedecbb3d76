"""The pool itself: work, statistics, journal, node link, storage, dashboard and the program `steppe`."""
