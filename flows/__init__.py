"""The operations room: the command line and the Prefect flows. The only room that may import prefect."""
