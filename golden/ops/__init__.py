"""One function per op, each plain enough to check against its formula."""
