import NIOCore

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// Who is at the other end of a unix socket, as the kernel had it when they connected (unix(7)).
struct PeerCredentials: Sendable, Equatable {
  let user: uid_t
  /// The process's own and supplementary groups.
  let groups: Set<gid_t>

  init(user: uid_t, groups: Set<gid_t>) {
    self.user = user
    self.groups = groups
  }

  /// nil where it is no unix socket, or closed.
  static func of(_ channel: any Channel) async -> PeerCredentials? {
    try? await channel.eventLoop.submit {
      try channel.pipeline.syncOperations.withUnsafeTransportIfAvailable(of: NIOBSDSocket.Handle.self) {
        PeerCredentials(socket: $0)
      } ?? nil
    }.get()
  }

  /// `struct ucred`, which glibc hides behind a feature macro: pid, uid, gid.
  private struct UserCredentials {
    var process: pid_t = 0
    var user: uid_t = .max
    var group: gid_t = .max
  }

  /// socket(7): asm-generic/socket.h; these are the values of every architecture that Swift runs on.
  private static let peerCredentials: CInt = 17
  private static let peerGroups: CInt = 59
  private static let domain: CInt = 39
  /// NGROUPS_MAX of Linux.
  private static let mostGroups = 65536

  init?(socket: CInt) {
    var family: CInt = 0
    var familySize = socklen_t(MemoryLayout<CInt>.size)
    guard getsockopt(socket, SOL_SOCKET, Self.domain, &family, &familySize) == 0, family == AF_UNIX else { return nil }
    var credentials = UserCredentials()
    var size = socklen_t(MemoryLayout<UserCredentials>.size)
    guard getsockopt(socket, SOL_SOCKET, Self.peerCredentials, &credentials, &size) == 0, credentials.user != .max
    else { return nil }
    user = credentials.user
    groups = Self.groups(socket).union([credentials.group])
  }

  /// None where the kernel does not tell (before Linux 4.13).
  private static func groups(_ socket: CInt) -> Set<gid_t> {
    var count = 64
    while count <= mostGroups {
      var groups = [gid_t](repeating: 0, count: count)
      var size = socklen_t(count * MemoryLayout<gid_t>.size)
      if getsockopt(socket, SOL_SOCKET, peerGroups, &groups, &size) == 0 {
        return Set(groups.prefix(Int(size) / MemoryLayout<gid_t>.size))
      }
      guard errno == ERANGE else { break }
      count *= 4
    }
    return []
  }
}

extension PeerCredentials {
  /// With the groups that the system's databases give the user (passwd(5), group(5)); with none where they lack it.
  init(user: uid_t) {
    self.init(user: user, groups: Self.groups(of: user))
  }

  private static func groups(of user: uid_t) -> Set<gid_t> {
    var (entry, found) = (passwd(), UnsafeMutablePointer<passwd>?.none)
    var size = 1024
    while size <= 1 << 20 {
      var buffer = [CChar](repeating: 0, count: size)
      let code = getpwuid_r(user, &entry, &buffer, size, &found)
      if code != ERANGE {
        guard code == 0, found != nil, let name = entry.pw_name else { return [] }
        // The name lives in the buffer.
        return withExtendedLifetime(buffer) { groups(named: name, entry.pw_gid) }
      }
      size *= 4
    }
    return []
  }

  private static func groups(named name: UnsafePointer<CChar>, _ primary: gid_t) -> Set<gid_t> {
    var groups = [gid_t](repeating: 0, count: mostGroups)
    var count = CInt(groups.count)
    guard getgrouplist(name, primary, &groups, &count) >= 0 else { return [primary] }
    return Set(groups.prefix(Int(count)))
  }
}
