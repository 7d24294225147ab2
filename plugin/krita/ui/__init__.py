"""The docker's widgets.  They draw what the controller says and tell it what the user did."""
