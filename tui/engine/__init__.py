"""The transfer engine: a library without socket, signal handler or screen."""
