"""Servers that tests talk to: real ones where that can be, on this machine only, gone when the test is over."""
