package import Trust

/// Who may use a service, in JSON: `"friends"`, `"public"`, or a list of petnames, `friends`, `contacts`, and accounts like
/// `jid:anna@example.net`.
package enum AccessResource: Codable, Sendable, Hashable {
  case friends
  case `public`
  case names([String])

  /// What stands on a command line: a word, or names with commas between them.
  package init(_ text: String) {
    switch text {
    case "friends": self = .friends
    case "public": self = .public
    default: self = .names(text.split(separator: ",", omittingEmptySubsequences: false).map(String.init))
    }
  }

  package init(_ access: AccessPolicy.Access, _ accounts: AccountAccess = .none) {
    let words = accounts.words
    switch access {
    case .public: self = .public
    case .friends: self = words.isEmpty ? .friends : .names(["friends"] + words)
    case .names(let names): self = .names(names.sorted().map(\.text) + words)
    }
  }

  /// Throws `TrustError` where a name can be no friend's.
  package var audience: (access: AccessPolicy.Access, accounts: AccountAccess) {
    get throws(TrustError) {
      switch self {
      case .friends: (.friends, .none)
      case .public: (.public, .none)
      case .names(let words): try AccessPolicy.audience(words)
      }
    }
  }

  package init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    guard let word = try? container.decode(String.self) else {
      self = .names(try container.decode([String].self))
      return
    }
    switch word {
    case "friends": self = .friends
    case "public": self = .public
    default:
      throw DecodingError.dataCorruptedError(in: container, debugDescription: "neither \"friends\" nor \"public\"")
    }
  }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    switch self {
    case .friends: try container.encode("friends")
    case .public: try container.encode("public")
    case .names(let names): try container.encode(names)
    }
  }
}

extension AccessResource: CustomStringConvertible {
  package var description: String {
    switch self {
    case .friends: "friends"
    case .public: "public"
    case .names(let names): names.joined(separator: ",")
    }
  }
}
