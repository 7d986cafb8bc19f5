"""How a front end reaches places and the queue: one protocol, in process (`direct`) or over the socket (`remote`)."""
