"""Hosts that are reached by SSH, as `ssh` itself would reach them. asyncssh is loaded where one is connected to."""
