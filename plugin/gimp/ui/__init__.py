"""The dialogs: GIMP's own ``ProcedureDialog`` with widgets of ours, drawn from ``describe``."""
