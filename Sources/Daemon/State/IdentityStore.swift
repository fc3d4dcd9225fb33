import FoundationEssentials
import TLS
import Trust

/// The node's key in `identity.pem`, and in `rotations.json` the statements by which its former keys vouch for it.
struct IdentityStore: Sendable {
  private struct Chain: Codable {
    struct Link: Codable {
      var old: Data
      var new: Data
      var signature: Data
    }

    var schema: Int
    var links: [Link]
  }

  private static let schema = 1

  private let folder: String
  private var keyFile: String { folder + "/identity.pem" }
  private var chainFile: String { folder + "/rotations.json" }

  init(folder: String) {
    self.folder = folder
  }

  /// The key, made now where there was none. `name` is told to whoever connects.
  ///
  /// Throws `StateError`: where the key is not for this user alone, cannot be read, or is gone while friends are there
  /// who know this node by it.
  func load(name: String) throws(StateError) -> Identity {
    if let identity = try stored() { return identity }
    let friends = FriendStore(folder: folder)
    guard !friends.exists else {
      throw .missing(keyFile, besides: friends.file, why: "friends know this node by its key")
    }
    do {
      let identity = try Identity.generate(name: name)
      try FileBytes.replace(keyFile, in: folder, with: identity.pem)
      return identity
    } catch let error as SystemError {
      throw .unusable(error)
    } catch {
      throw .damaged(keyFile, reason: "\(error)")
    }
  }

  private func stored() throws(StateError) -> Identity? {
    guard let pem = try SecretFile.contents(of: keyFile, limit: DaemonLimits.identityBytes) else { return nil }
    do {
      return try Identity(pem: pem)
    } catch {
      throw .damaged(keyFile, reason: error.message)
    }
  }

  /// The statements that lead to `identity`, oldest first. Throws `StateError`.
  ///
  /// One that leads to another key was written when a change was broken off, before the key itself was.
  func rotations(to identity: Identity) throws(StateError) -> [KeyRotation] {
    let bytes: [UInt8]?
    do {
      bytes = try FileBytes.contents(of: chainFile, limit: DaemonLimits.identityBytes)
    } catch {
      throw .unusable(error)
    }
    guard let bytes else { return [] }
    guard let chain = try? JSONDecoder().decode(Chain.self, from: Data(bytes)), chain.schema == Self.schema else {
      throw .damaged(chainFile, reason: "not the JSON of a list of keys, schema \(Self.schema)")
    }
    let links = chain.links.map {
      KeyRotation(old: [UInt8]($0.old), new: [UInt8]($0.new), signature: [UInt8]($0.signature))
    }
    guard let last = links.lastIndex(where: { $0.new == identity.spki }) else { return [] }
    return Array(links[...last])
  }

  /// Makes a new key for the next start, and has `running`, the key in use, vouch for it.
  ///
  /// The statement is on disk before the key is, so that no key is ever without one. Throws `StateError`, and then the
  /// old key still stands, and `pending` where a new one is waiting already.
  func rotate(_ running: Identity, name: String, reached: (FileBytes.Step) -> Void = { _ in }) throws -> Identity {
    guard try stored()?.spki == running.spki else { throw RotationError.pending }
    let new = try Identity.generate(name: name)
    let statement = KeyRotation.statement(old: running.spki, new: new.spki)
    let link = KeyRotation(old: running.spki, new: new.spki, signature: try running.sign(statement))
    // Who missed more changes than that has to become a friend again.
    let chain = (try rotations(to: running) + [link]).suffix(TrustLimits.rotations)
    let content = Chain(
      schema: Self.schema,
      links: chain.map { Chain.Link(old: Data($0.old), new: Data($0.new), signature: Data($0.signature)) })
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    let bytes = [UInt8](try encoder.encode(content)) + [0x0A]
    try FileBytes.replace(chainFile, in: folder, with: bytes, reached: reached)
    try FileBytes.replace(keyFile, in: folder, with: new.pem, reached: reached)
    return new
  }
}

/// Why there is no new key.
enum RotationError: Error {
  /// One was made before, and the daemon has not been started since.
  case pending
}
