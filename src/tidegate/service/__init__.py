"""Use cases: register, launch, list, answer, abort; free of sockets and terminals."""
