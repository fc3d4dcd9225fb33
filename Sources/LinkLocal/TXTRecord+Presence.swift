/// The parameters of `_presence._tcp` that this node knows (XEP-0174 §3.1 and its registry).
extension TXTRecord {
  /// The verification string of entity capabilities (XEP-0115 §5) and the hash that made it.
  package struct Verification: Sendable, Hashable {
    /// As announced: `sha-1`.
    package let hash: String
    /// Proves nothing until disco#info recomputes to it.
    package let ver: String

    package init(hash: String, ver: String) {
      self.hash = hash
      self.ver = ver
    }
  }

  /// What this node announces of a device. There is never a `jid`: one client then sends a header nobody can parse.
  ///
  /// - Parameters:
  ///   - port: the one of the SRV record.
  ///   - ver: the SHA-1 verification string of what the device answers to disco#info.
  ///   - message: one line about the device.
  ///   - id: the node id, a routing hint and no proof.
  ///   - firstName, lastName, email: only what the user wants everybody to know.
  package init(
    port: Int, status: String = "avail", nick: String? = nil, node: String? = nil, ver: String? = nil,
    message: String? = nil, id: String? = nil, firstName: String? = nil, lastName: String? = nil, email: String? = nil
  ) {
    self.init([
      "txtvers": "1", "port.p2pj": String(port), "status": status, "nick": nick, "node": node,
      "hash": ver == nil ? nil : "sha-1", "ver": ver, "msg": message, "id": id,
      "1st": firstName, "last": lastName, "email": email,
    ])
  }

  /// Only a hint: the port of the SRV record wins.
  package var port: Int? {
    self["port.p2pj"].flatMap(Int.init).flatMap { (1...65535).contains($0) ? $0 : nil }
  }

  /// `avail`, `away`, `dnd`, or what a foreign client says.
  package var status: String? { line("status", LinkLocalLimits.nameBytes) }
  package var nick: String? { line("nick", LinkLocalLimits.nameBytes) }
  package var message: String? { line("msg", LinkLocalLimits.stringBytes) }
  package var node: String? { self["node"] }
  /// One that is longer than an id is none.
  package var id: String? { self["id"].flatMap { $0.utf8.count <= LinkLocalLimits.nameBytes ? $0 : nil } }

  /// nil unless both keys are there: many clients put their own version into `ver`.
  package var verification: Verification? {
    guard let hash = self["hash"], let ver = self["ver"] else { return nil }
    return Verification(hash: hash, ver: ver)
  }

  /// A value made fit for display: whoever is on the link could otherwise write to the user's terminal, or fill it.
  ///
  /// - Parameter limit: bytes of it that are shown.
  private func line(_ key: String, _ limit: Int) -> String? {
    guard let value = self[key]?.cut(toBytes: limit) else { return nil }
    let scalars = value.unicodeScalars.map { $0.controlsDisplay ? " " : $0 }
    let words = String(String.UnicodeScalarView(scalars)).split(separator: " ")
    return words.isEmpty ? nil : words.joined(separator: " ")
  }
}

extension Unicode.Scalar {
  /// Controls, line ends, and the marks that turn the direction of writing.
  fileprivate var controlsDisplay: Bool {
    switch value {
    case 0x200E, 0x200F, 0x202A...0x202E, 0x2066...0x2069: true
    default: [.control, .lineSeparator, .paragraphSeparator].contains(properties.generalCategory)
    }
  }
}
