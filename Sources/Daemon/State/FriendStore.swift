import FoundationEssentials
import Logging
import Mesh
import TLS
import Trust

/// Friends, blocked nodes, requests and invites in `friends.json`; `friends.json.1` is what it was before the last change.
struct FriendStore: Sendable {
  private let folder: String
  var file: String { folder + "/friends.json" }
  private var previous: String { file + ".1" }

  init(folder: String) {
    self.folder = folder
  }

  var exists: Bool { FileManager.default.fileExists(atPath: file) }

  /// What was saved last; nil at the first start. Throws `StateError`, and touches nothing.
  func load() throws(StateError) -> [UInt8]? {
    let bytes: [UInt8]?
    do {
      bytes = try FileBytes.contents(of: file, limit: DaemonLimits.friendsBytes)
    } catch {
      throw .unusable(error)
    }
    // No write of ours leaves it like that: whoever was blocked must not be forgotten by an accident.
    if bytes == nil, FileManager.default.fileExists(atPath: previous) {
      throw .missing(file, besides: previous, why: "it holds an older list of friends")
    }
    return bytes
  }

  /// Returns once it is on disk. Throws `SystemError`; then what was there still is, save where the last step, the folder's
  /// own sync, failed: then a crash may leave either.
  func save(_ bytes: [UInt8], reached: (FileBytes.Step) -> Void = { _ in }) throws(SystemError) {
    try FileBytes.replace(file, in: folder, with: bytes, keeping: previous, reached: reached)
  }

  /// The friends of the node with this key, kept here from now on. Throws `StateError`.
  func open(for identity: Identity, rotations: [KeyRotation], mode: RequestMode, logger: Logger) throws(StateError)
    -> TrustService
  {
    let stored = try load()
    do {
      return try TrustService(
        identity: identity, rotations: rotations, stored: stored, mode: mode, logger: logger, save: { try save($0) })
    } catch {
      let reason = (error as? TrustError)?.message ?? "\(error)"
      guard FileManager.default.fileExists(atPath: previous) else { throw .damaged(file, reason: reason) }
      throw .damagedWithCopy(file, copy: previous, reason: reason)
    }
  }
}
