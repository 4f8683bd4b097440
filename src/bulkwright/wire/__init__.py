"""The JSON exactly as it travels; shared by server and client, ignorant of the domain."""
