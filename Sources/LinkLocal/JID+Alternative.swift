package import XMPP

extension JID {
  /// The name to try after this one was found taken: `user-1@machine`, `user-2@machine`, … (XEP-0174 §3).
  ///
  /// Always formed from the wanted name, never from an earlier alternative. The user part is cut where the whole would
  /// exceed 63 bytes. The machine part stays as it is, even after Avahi has renamed the host: the instance name alone is
  /// the address, and changing it for a reason that peers cannot see would cost the device its identity.
  ///
  /// - Returns: nil where the machine part leaves no room for a user part.
  package func alternative(_ number: Int) -> JID? {
    let tail = "-\(number)" + (machine.map { "@\($0)" } ?? "")
    let user = user.cut(toBytes: Self.maximumLength - tail.utf8.count)
    return user.isEmpty ? nil : JID(user + tail)
  }
}
