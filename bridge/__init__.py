"""The daemon: OSC in, notes out, in time. Importing the package loads nothing."""

__version__ = "0.1.0"
