// Tests of HTTPX.
