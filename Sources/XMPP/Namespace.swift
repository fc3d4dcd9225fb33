/// The XML namespaces that Hearth speaks, and the features named by them.
package enum Namespace {
  /// Content of a stream (RFC 6120 §4.8.2).
  package static let client = "jabber:client"
  /// The stream's own elements, prefix `stream:` (RFC 6120 §4.8.1).
  package static let streams = "http://etherx.jabber.org/streams"
  package static let streamErrors = "urn:ietf:params:xml:ns:xmpp-streams"
  package static let stanzas = "urn:ietf:params:xml:ns:xmpp-stanzas"
  package static let tls = "urn:ietf:params:xml:ns:xmpp-tls"
  package static let sasl = "urn:ietf:params:xml:ns:xmpp-sasl"
  /// XEP-0030.
  package static let discoInfo = "http://jabber.org/protocol/disco#info"
  package static let discoItems = "http://jabber.org/protocol/disco#items"
  /// XEP-0004, as XEP-0128 uses it.
  package static let dataForms = "jabber:x:data"
  /// XEP-0047.
  package static let ibb = "http://jabber.org/protocol/ibb"
  /// XEP-0020, as XEP-0095 uses it.
  package static let featureNegotiation = "http://jabber.org/protocol/feature-neg"
  /// XEP-0092.
  package static let version = "jabber:iq:version"
  /// XEP-0065.
  package static let bytestreams = "http://jabber.org/protocol/bytestreams"
  /// XEP-0095, and its profile of XEP-0096.
  package static let si = "http://jabber.org/protocol/si"
  package static let fileTransfer = "http://jabber.org/protocol/si/profile/file-transfer"
  /// XEP-0115.
  package static let caps = "http://jabber.org/protocol/caps"
  /// XEP-0131.
  package static let shim = "http://jabber.org/protocol/shim"
  /// XEP-0137.
  package static let sipub = "http://jabber.org/protocol/sipub"
  /// XEP-0166, with files of XEP-0234 by the in-band bytestreams of XEP-0261, or beside the stream.
  package static let jingle = "urn:xmpp:jingle:1"
  package static let jingleFileTransfer = "urn:xmpp:jingle:apps:file-transfer:5"
  package static let jingleIBB = "urn:xmpp:jingle:transports:ibb:1"
  /// XEP-0260, with TLS inside.
  package static let jingleS5B = "urn:xmpp:jingle:transports:s5b:1"
  package static let jingleXTLS = "urn:xmpp:jingle:security:xtls:0"
  /// XEP-0199.
  package static let ping = "urn:xmpp:ping"
  /// XEP-0332.
  package static let http = "urn:xmpp:http"
  /// XEP-0478.
  package static let streamLimits = "urn:xmpp:stream-limits:0"
  /// A feature by which Hearth nodes know each other: extensions of ours go to peers that show it only.
  package static let hearth = "urn:hearth:http:1"
  /// A request that asks for a WebSocket may be answered by 101, after which both sides send in one in-band bytestream.
  /// What nodes say to each other of ways over a server, and that an account leads to one.
  package static let link = "urn:hearth:link:0"
  package static let upgrade = "urn:hearth:upgrade:0"
  /// What the prefix `xml` is bound to.
  package static let xml = "http://www.w3.org/XML/1998/namespace"
}
