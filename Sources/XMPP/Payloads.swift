package import XML

/// Asks whether the other side is still there (XEP-0199); the answer is an empty result, or any error.
package enum Ping {
  package static let request = Element("ping", namespace: Namespace.ping)
}

/// What software a peer runs (XEP-0092).
package struct SoftwareVersion: Sendable, Hashable {
  package var name: String
  package var version: String
  package var os: String?

  package static let request = Element("query", namespace: Namespace.version)

  package init(name: String, version: String, os: String? = nil) {
    self.name = name
    self.version = version
    self.os = os
  }

  /// Fails where the element is no `jabber:iq:version` query with a name and a version, both of which are required.
  package init?(_ query: Element) {
    guard query.is("query", Namespace.version), let name = query.first("name"), let version = query.first("version")
    else { return nil }
    self.init(name: name.text, version: version.text, os: query.first("os")?.text)
  }

  /// The answer.
  package var query: Element {
    let values = [("name", name), ("version", version), ("os", os)]
    return Element(
      "query", namespace: Namespace.version, [:],
      values.compactMap { name, value in value.map { Element(name, namespace: Namespace.version, text: $0) } })
  }
}
