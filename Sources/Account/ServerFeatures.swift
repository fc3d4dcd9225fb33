package import XML
package import XMPP

/// What a server offers (RFC 6120 §4.3.2), beyond what devices on the link do.
package struct ServerFeatures: Hashable, Sendable {
  package var stream: StreamFeatures
  /// XEP-0440; nil where it does not say.
  package var bindingTypes: [String]?
  /// RFC 6120 §7.
  package var hasBind: Bool
  /// RFC 3921 §3: insisted upon by old servers.
  package var needsSession: Bool
  /// XEP-0198.
  package var hasManagement: Bool

  package init(_ element: Element) {
    stream = StreamFeatures(element)
    bindingTypes = element.first("sasl-channel-binding", namespace: Namespace.channelBinding).map { list in
      list.elements.filter { $0.name == "channel-binding" }.compactMap { $0["type"] }
    }
    hasBind = element.first("bind", namespace: Namespace.bind) != nil
    needsSession = element.first("session", namespace: Namespace.session).map { $0.first("optional") == nil } ?? false
    hasManagement = element.first("sm", namespace: Namespace.streamManagement) != nil
  }
}
