"""The terminal itself: a driver that never blocks, and output of changed cells only."""
