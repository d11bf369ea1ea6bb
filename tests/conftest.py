"""What all tests share: properties are tried without a clock, since other work may slow the machine."""

from hypothesis import settings

settings.register_profile("book", deadline=None)
settings.load_profile("book")
