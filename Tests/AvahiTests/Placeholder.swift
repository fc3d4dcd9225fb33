// Tests of Avahi.
