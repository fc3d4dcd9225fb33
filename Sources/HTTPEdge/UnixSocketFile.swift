import NIOCore
import NIOPosix

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// The file of a unix socket, from the leftovers of a crashed predecessor to its own removal.
///
/// The socket is bound under a hidden name, made private, and only then moved to its path: nobody can connect before the
/// mode is right.
struct UnixSocketFile {
  /// Only the owner may connect.
  private static let mode: mode_t = 0o600
  /// `sockaddr_un.sun_path` without its final zero, in bytes.
  private static let longestPath = 107

  let path: String
  let hiddenPath: String

  /// Makes way for a new socket: refuses where somebody listens or the file is no socket.
  static func prepare(_ path: String, _ group: any EventLoopGroup) async throws -> UnixSocketFile {
    let hiddenPath = path + ".new"
    guard hiddenPath.utf8.count <= longestPath else {
      throw HTTPServerError(
        .cannotListen, "\(path) is too long for a socket: at most \(longestPath - ".new".count) bytes")
    }
    try await removeStale(path, group)
    return UnixSocketFile(path: path, hiddenPath: hiddenPath)
  }

  private static func removeStale(_ path: String, _ group: any EventLoopGroup) async throws {
    var info = stat()
    guard lstat(path, &info) == 0 else { return }
    guard info.st_mode & S_IFMT == S_IFSOCK else {
      throw HTTPServerError(.cannotListen, "\(path) exists and is no socket: remove it, or choose another path")
    }
    do {
      let channel = try await ClientBootstrap(group: group).connect(unixDomainSocketPath: path).get()
      try await channel.close()
      throw HTTPServerError(.inUse, "\(path) is in use by another process: stop it, or choose another path")
    } catch let error as IOError where error.errnoCode == ECONNREFUSED {
      unlink(path)
    } catch let error as IOError where error.errnoCode == ENOENT {
      return
    } catch let error as IOError {
      throw HTTPServerError(listeningOn: path, error)
    }
  }

  /// Makes the bound socket reachable at its path.
  func publish() throws {
    guard chmod(hiddenPath, Self.mode) == 0, rename(hiddenPath, path) == 0 else {
      throw HTTPServerError(listeningOn: path, IOError(errnoCode: errno, reason: "rename"))
    }
  }

  func remove() {
    unlink(hiddenPath)
    unlink(path)
  }
}
