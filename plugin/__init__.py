"""What runs inside the editors: thin, standard library and pyzmq only."""
