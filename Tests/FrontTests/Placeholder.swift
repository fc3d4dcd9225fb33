// Tests of Front.
