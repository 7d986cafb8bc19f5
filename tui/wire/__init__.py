"""Model to JSON-RPC 2.0 lines and back; knows neither engine nor socket."""
