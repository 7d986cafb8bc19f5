"""Stores that speak S3, as places: Amazon's, and all the others of the same protocol."""
