"""Jobs that reach beyond the local disk: everything between any two places, through `tui.places.base.Place`."""
