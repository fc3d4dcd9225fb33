/// What `PUT /v1/services/{name}` takes.
package struct ServiceResource: Codable, Sendable, Hashable {
  /// `http://host:port`, `unix:/path`, or the absolute path of a folder.
  package var target: String
  package var title: String?
  package var description: String?
  /// Whether anyone on the link gets HTTP without TLS.
  package var plaintext: Bool

  package init(target: String, title: String? = nil, description: String? = nil, plaintext: Bool = false) {
    self.target = target
    self.title = title
    self.description = description
    self.plaintext = plaintext
  }
}

/// What `PUT /v1/services/{name}` answers.
package struct ServedResource: Codable, Sendable, Hashable {
  /// The address that was asked for; the link may still rename it.
  package let jid: String
  /// What the owner should know, in whole sentences.
  package let warnings: [String]

  package init(jid: String, warnings: [String]) {
    self.jid = jid
    self.warnings = warnings
  }
}
