"""The HTTP kernel. It knows no face and no service: a face gives it routes and functions."""
