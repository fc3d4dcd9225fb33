/// Who may do what with one service.
package struct AccessPolicy: Sendable, Hashable {
  package enum Access: Sendable, Hashable {
    case friends
    /// These friends. A name that nobody has lets nobody in; it counts for whoever the owner gives it to.
    case names(Set<Petname>)
    /// Whoever shows a key.
    case `public`
  }

  package enum Decision: Sendable, Hashable {
    case allow
    case refuse(Refusal)
  }

  package let access: Access
  /// Who may besides, over servers.
  package let accounts: AccountAccess
  /// nil for all. `GET` includes `HEAD`, which tells less.
  package let methods: Set<String>?
  /// nil for all.
  package let paths: [PathPrefix]?
  /// Whether those without a key get in as well, with or without TLS.
  package let plaintext: Bool

  /// Throws `policy` where the rules contradict themselves or open nothing by mistake.
  ///
  /// Methods are compared with regard to case (RFC 9110 §9.1). `paths` are prefixes by whole segments, see
  /// `PathPrefix`.
  package init(
    access: Access, accounts: AccountAccess = .none, methods: [String]? = nil, paths: [String]? = nil,
    plaintext: Bool = false
  ) throws(TrustError) {
    if accounts.anyone, access != .public {
      throw TrustError(
        .policy, "public = \"servers too\" lets in anyone, and access says otherwise: set access = \"public\" as well")
    }
    if plaintext, access != .public {
      throw TrustError(
        .policy, "plaintext = true lets in anyone, and access says otherwise: set access = \"public\", or leave it out")
    }
    if methods?.isEmpty == true || paths?.isEmpty == true {
      throw TrustError(.policy, "an empty list of methods or paths opens nothing: name some, or leave the list out")
    }
    for method in methods ?? [] where !Self.isMethod(method) {
      throw TrustError(.policy, "“\(method)” is no method: write them in capitals, as in [\"GET\", \"POST\"]")
    }
    self.access = access
    self.accounts = accounts
    self.methods = methods.map(Set.init)
    self.paths = try paths.map { paths throws(TrustError) in
      var prefixes: [PathPrefix] = []
      for path in paths { prefixes.append(try PathPrefix(path)) }
      return prefixes
    }
    self.plaintext = plaintext
  }

  private static func isMethod(_ text: String) -> Bool {
    !text.isEmpty
      && text.utf8.allSatisfy { (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains($0) || $0 == UInt8(ascii: "-") }
  }

  /// `target` is what the request line has: path and query, percent-encoded. Who may not come in at all is told nothing
  /// about methods and paths. The owner may do anything.
  package func decide(_ caller: Standing, method: String, target: String) -> Decision {
    if let refusal = refusal(of: caller) { return .refuse(refusal) }
    guard caller != .self else { return .allow }
    if let methods, !methods.contains(method), !(method == "HEAD" && methods.contains("GET")) {
      return .refuse(.method(method))
    }
    guard let paths else { return .allow }
    guard let path = RequestPath(target) else { return .refuse(.unclearPath) }
    return paths.contains { $0.covers(path) } ? .allow : .refuse(.path)
  }

  private func refusal(of caller: Standing) -> Refusal? {
    switch caller {
    case .self: nil
    case .friend(let petname):
      switch access {
      case .friends, .public: nil
      case .names(let names): names.contains(petname) ? nil : .notNamed(petname)
      }
    case .stranger: access == .public ? nil : .stranger
    case .plaintext: plaintext ? nil : .plaintext
    case .account(let jid, let isContact): accounts.admits(jid, isContact: isContact) ? nil : .account
    case .blocked, .changed, .mismatch: caller.refusal
    }
  }
}
