import XMPP

/// What is spoken with a server.
extension Namespace {
  /// RFC 6120 §7.
  static let bind = "urn:ietf:params:xml:ns:xmpp-bind"
  /// Of servers from before RFC 6121; where they offer it as required, they insist.
  static let session = "urn:ietf:params:xml:ns:xmpp-session"
  /// XEP-0114: content of a component's stream.
  static let component = "jabber:component:accept"
  /// RFC 6121 §2.
  static let roster = "jabber:iq:roster"
  /// XEP-0198.
  static let streamManagement = "urn:xmpp:sm:3"
  /// XEP-0440.
  static let channelBinding = "urn:xmpp:sasl-cb:0"
}
