"""How every bundled style picture was painted: seeded, from nothing but numbers."""
