package import TLS

/// How to log in: the best that both sides have, and nothing that somebody in between has left over.
package enum Mechanism: Hashable, Sendable {
  case scram(HashFunction, SCRAM.Binding)
  case plain

  /// As it is registered.
  package var name: String {
    switch self {
    case .scram(let hash, .bound): Self.name(hash) + "-PLUS"
    case .scram(let hash, .unsupported), .scram(let hash, .notOffered): Self.name(hash)
    case .plain: "PLAIN"
    }
  }

  /// What the login is bound to; nil where it is not.
  package var binding: ChannelBinding? {
    guard case .scram(_, .bound(let type, _)) = self else { return nil }
    return type
  }

  private static func name(_ hash: HashFunction) -> String {
    switch hash {
    case .sha1: "SCRAM-SHA-1"
    case .sha256: "SCRAM-SHA-256"
    }
  }

  /// What a server offers, and what is known of it.
  package struct Offer: Hashable, Sendable {
    package var mechanisms: [String]
    /// XEP-0440; nil where it does not say.
    package var bindingTypes: [String]?
    /// Whether it has offered to bind logins before.
    package var hasOfferedBinding: Bool
    /// What this connection can be bound to.
    package var bindings: [ChannelBinding: [UInt8]]
    package var version: TLSVersion

    package init(
      mechanisms: [String], bindingTypes: [String]? = nil, hasOfferedBinding: Bool = false,
      bindings: [ChannelBinding: [UInt8]], version: TLSVersion = .v13
    ) {
      self.mechanisms = mechanisms
      self.bindingTypes = bindingTypes
      self.hasOfferedBinding = hasOfferedBinding
      self.bindings = bindings
      self.version = version
    }

    package var offersBinding: Bool { mechanisms.contains { $0.hasPrefix("SCRAM-") && $0.hasSuffix("-PLUS") } }

    /// The type that both sides have. Where the server does not say which it has, the one that belongs to the version of TLS.
    fileprivate var commonBinding: SCRAM.Binding? {
      let types =
        bindingTypes.map { $0.compactMap(ChannelBinding.init(rawValue:)) } ?? [
          version == .v13 ? .exporter : .serverEndPoint
        ]
      for type in ChannelBinding.allCases where types.contains(type) {
        if let data = bindings[type] { return .bound(type, data) }
      }
      return nil
    }
  }

  /// Throws `AccountProblem`: where nothing is offered that is good enough, or less than was offered before.
  package static func choose(_ offer: Offer, allowsPlain: Bool) throws(AccountProblem) -> Mechanism {
    guard offer.offersBinding else {
      if offer.hasOfferedBinding {
        throw AccountProblem(
          .forged,
          "the server bound logins to the connection before, and does not offer it any more: somebody may be in between"
        )
      }
      return try chooseUnbound(offer, allowsPlain)
    }
    let hashes = [HashFunction.sha256, .sha1].filter { offer.mechanisms.contains(name($0) + "-PLUS") }
    guard let hash = hashes.first else {
      throw AccountProblem(.mechanism, "the server binds logins by none of SCRAM-SHA-256-PLUS and SCRAM-SHA-1-PLUS")
    }
    guard let binding = offer.commonBinding else {
      let types = offer.bindingTypes.map { $0.joined(separator: ", ") } ?? "in a way that it does not name"
      throw AccountProblem(
        .mechanism,
        "the server binds logins to the connection by \(types.prefix(200)), and this connection has none of that; it needs "
          + "tls-exporter or tls-server-end-point")
    }
    return .scram(hash, binding)
  }

  private static func chooseUnbound(_ offer: Offer, _ allowsPlain: Bool) throws(AccountProblem) -> Mechanism {
    for hash in [HashFunction.sha256, .sha1] where offer.mechanisms.contains(name(hash)) {
      return .scram(hash, offer.bindings.isEmpty ? .unsupported : .notOffered)
    }
    let hasPlain = offer.mechanisms.contains("PLAIN")
    if hasPlain, allowsPlain { return .plain }
    let list = offer.mechanisms.prefix(10).map { String($0.prefix(30)) }.joined(separator: ", ")
    throw AccountProblem(
      .mechanism,
      hasPlain
        ? "the server wants the password itself (PLAIN): set allow_plain = true under [account] in hearth.toml if it may have it"
        : "the server offers no way to log in that is taken here (\(list.isEmpty ? "none at all" : list)); SCRAM-SHA-256 is"
    )
  }
}
