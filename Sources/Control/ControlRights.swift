import HTTPTypes

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// Who may do what on the control socket: the daemon's own user, root and the group `hearth` may change things,
/// whoever else the socket's mode lets in may look, though not at who opens what.
package struct ControlRights: Sendable {
  static let group = "hearth"

  let owner: uid_t
  /// nil where there is no such group.
  let group: gid_t?

  package static var ofThisProcess: ControlRights { ControlRights(owner: geteuid(), group: gid_t(groupNamed: group)) }

  /// Throws `ControlError`. `peer` is nil where it cannot be told who asks.
  func check(_ method: HTTPRequest.Method, _ path: String, by peer: PeerCredentials?) throws(ControlError) {
    guard let peer else {
      throw ControlError(.notPermitted, "The control socket is for processes of this machine.")
    }
    guard !Self.isHarmless(method) || Self.isOwners(path), !mayChange(peer) else { return }
    throw ControlError(
      .notPermitted,
      "Only the daemon's own user, root and members of the group \(Self.group) may do this: "
        + "join the group (adduser NAME \(Self.group)), or use sudo.")
  }

  /// The same for a user whose process is not known, and whose groups are therefore those of the system's databases.
  package func mayChange(_ user: UInt32) -> Bool {
    user == owner || user == 0 || mayChange(PeerCredentials(user: user))
  }

  private func mayChange(_ peer: PeerCredentials) -> Bool {
    peer.user == owner || peer.user == 0 || group.map(peer.groups.contains) ?? false
  }

  /// However it is spelt.
  private static func isOwners(_ path: String) -> Bool {
    let segments = Router.segments(of: path.prefix { $0 != "?" })
    return DiagnosticsRoutes.ownersPaths.contains { Router.segments(of: $0) == segments }
  }

  /// RFC 9110 §9.2.1.
  private static func isHarmless(_ method: HTTPRequest.Method) -> Bool {
    [.get, .head, .options].contains(method)
  }
}

extension gid_t {
  /// nil where there is no such group (group(5)).
  fileprivate init?(groupNamed name: String) {
    var (entry, found) = (group(), UnsafeMutablePointer<group>?.none)
    var size = 1024
    while size <= 1 << 20 {
      var buffer = [CChar](repeating: 0, count: size)
      let code = getgrnam_r(name, &entry, &buffer, size, &found)
      if code != ERANGE {
        guard code == 0, found != nil else { return nil }
        self = entry.gr_gid
        return
      }
      size *= 4
    }
    return nil
  }
}
