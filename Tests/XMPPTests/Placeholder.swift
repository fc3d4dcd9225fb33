// Tests of XMPP.
