package import Trust

/// Who may use a service, in JSON: `"friends"`, `"public"`, or a list of petnames.
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

  package init(_ access: AccessPolicy.Access) {
    switch access {
    case .friends: self = .friends
    case .public: self = .public
    case .names(let names): self = .names(names.sorted().map(\.text))
    }
  }

  /// Throws `TrustError` where a name can be no friend's.
  package var access: AccessPolicy.Access {
    get throws(TrustError) {
      switch self {
      case .friends: return .friends
      case .public: return .public
      case .names(let texts):
        guard !texts.isEmpty
        else { throw TrustError(.policy, "an empty list of friends opens nothing: name some, or say \"friends\"") }
        var names: Set<Petname> = []
        for text in texts { names.insert(try Petname(text)) }
        return .names(names)
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
