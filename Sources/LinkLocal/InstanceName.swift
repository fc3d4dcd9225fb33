package import XMPP

/// The DNS-SD name of a device: 1 to 63 bytes of UTF-8 without control characters, `user@machine` where a client keeps to
/// XEP-0174 §3.
///
/// It is the address of the device as well. Names compare as addresses do: ASCII letters without regard to case.
package struct InstanceName: Sendable, Hashable, Comparable, CustomStringConvertible {
  /// Always bare.
  package let jid: JID

  /// Bytes.
  package static let maximumLength = DNSLabel.maximumLength

  /// The name of the device that has this address; nil where it is too long for a DNS label. A resource is left out.
  package init?(_ jid: JID) {
    guard jid.bare.text.utf8.count <= Self.maximumLength else { return nil }
    self.jid = jid.bare
  }

  /// All of the text is the name, a `/` in it as well. Fails where it is empty, longer than 63 bytes, or has control
  /// characters.
  package init?(_ text: String) {
    guard let jid = JID(bare: text) else { return nil }
    self.init(jid)
  }

  /// `user@machine`; nil where that would be no instance name.
  package init?(user: String, machine: String) {
    self.init("\(user)@\(machine)")
  }

  package var text: String { jid.text }

  /// Before the last `@`, or all of it where there is none.
  package var user: String { jid.localpart ?? jid.text }

  /// Behind the last `@`, nil where there is none.
  package var machine: String? { jid.localpart == nil ? nil : jid.domainpart }

  package static func < (a: InstanceName, b: InstanceName) -> Bool { a.jid < b.jid }
  package var description: String { text }
}

extension InstanceName {
  /// The name to try after this one was found taken: `user-1@machine`, `user-2@machine`, … (XEP-0174 §3).
  ///
  /// Always formed from the wanted name, never from an earlier alternative. The user part is cut where the whole would
  /// exceed 63 bytes. The machine part stays as it is, even after Avahi has renamed the host: the instance name alone is
  /// the address, and changing it for a reason that peers cannot see would cost the device its identity.
  ///
  /// - Returns: nil where the machine part leaves no room for a user part.
  package func alternative(_ number: Int) -> InstanceName? {
    let tail = "-\(number)" + (machine.map { "@\($0)" } ?? "")
    let user = user.cut(toBytes: Self.maximumLength - tail.utf8.count)
    return user.isEmpty ? nil : InstanceName(user + tail)
  }

  /// Whether this is one of the names that a device takes whose wanted name is `other`.
  package func isAlternative(of other: InstanceName) -> Bool {
    guard let dash = user.lastIndex(of: "-"), let number = Int(user[user.index(after: dash)...]) else { return false }
    return (1...LinkLocalLimits.renames).contains(number) && other.alternative(number) == self
  }
}
