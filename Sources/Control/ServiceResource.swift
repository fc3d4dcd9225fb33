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
  /// As it is announced, which on a conflict is another one than was asked for.
  package var jid: String
  /// What the owner should know, in whole sentences.
  package var warnings: [String]

  package init(jid: String, warnings: [String]) {
    self.jid = jid
    self.warnings = warnings
  }
}
