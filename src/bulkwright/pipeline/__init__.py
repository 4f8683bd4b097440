"""The way of the rows through a job: read, conform, match, write, answer. Columnar throughout."""
