// What this module does is in ARCHITECTURE.md.
