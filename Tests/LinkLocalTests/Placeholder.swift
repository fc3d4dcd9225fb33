// Tests of LinkLocal.
