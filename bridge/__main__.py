"""`python -m bridge` is `continuo`."""

from bridge.cli import main

if __name__ == "__main__":
    main()
