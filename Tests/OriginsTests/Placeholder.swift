// Tests of Origins.
