package import XMPP

/// Why somebody may not do something here.
package enum Refusal: Error, Sendable, Hashable {
  /// Only friends may, and this is none.
  case stranger
  /// Only some friends may, and this is another one.
  case notNamed(Petname)
  /// Without a key there is no telling who asks.
  case plaintext
  /// It comes by an account on a server that the owner did not name.
  case account
  case method(String)
  case path
  /// Where paths are limited, one must be written plainly.
  case unclearPath
  case blocked
  case changed(expected: NodeID, seen: NodeID?)
  case mismatch(announced: String, seen: NodeID?)

  /// For the log.
  package var name: String {
    switch self {
    case .stranger: "stranger"
    case .notNamed: "not-named"
    case .plaintext: "plaintext"
    case .account: "account"
    case .method: "method"
    case .path: "path"
    case .unclearPath: "unclear-path"
    case .blocked: "blocked"
    case .changed: Self.changedName
    case .mismatch: Self.mismatchName
    }
  }

  static let changedName = "changed-key"
  static let mismatchName = "announced-key"

  /// For the one who is refused. Says nothing about the owner's other decisions.
  package var text: String {
    switch self {
    case .stranger: "only friends of the owner get in here: ask for friendship, and wait for the owner to accept"
    case .notNamed: "the owner opened this to other friends: ask the owner to name you"
    case .account: "the owner did not open this to your account: ask the owner to name it"
    case .method("CONNECT"): "the owner did not open WebSockets here, which are the method CONNECT"
    case .plaintext: "this device answers over TLS only, and to those who show a certificate: use a client that does"
    case .method(let method): "the owner did not open the method \(method) here"
    case .path: "the owner did not open this path"
    case .unclearPath:
      "the owner opened some paths only: write this one without dots, empty parts and encoded separators"
    case .blocked: "this node does not answer to yours"
    case .changed: "this name belongs to another key here: the owner of this node has to remove the old one first"
    case .mismatch: "the key is not the one that was announced: announce the id of the key that you use"
    }
  }

  /// For the owner of this node, with both ids.
  package var detail: String {
    switch self {
    case .changed(let expected, let seen):
      "expected the key of \(expected), saw \(seen.map { "that of \($0)" } ?? "none")"
    case .mismatch(let announced, let seen):
      "\(announced) was announced, and the key is \(seen.map { "that of \($0)" } ?? "missing")"
    case .notNamed(let petname): "\(petname) is not among the names in access"
    case .stranger, .plaintext, .account, .method, .path, .unclearPath, .blocked: text
    }
  }

  /// Whether asking for friendship may help: so a page can offer that.
  package var offersFriendship: Bool { self == .stranger }

  /// How an IQ is refused before it becomes HTTP: `not-allowed` by the owner's rules for a service, `forbidden` for who it is that asks
  /// (RFC 6120 §8.3.3). So a friend that is forbidden learns that it is none.
  package var stanzaError: StanzaError {
    switch self {
    case .notNamed, .method, .path, .unclearPath: StanzaError(.notAllowed, text)
    case .stranger, .plaintext, .account, .blocked, .changed, .mismatch: StanzaError(.forbidden, text)
    }
  }
}
