import FoundationEssentials
import XMPP

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// The login of `hearth account login`, kept over restarts in `account.json`, which nobody else may read.
struct AccountStore: Sendable {
  struct Login: Equatable, Sendable {
    /// Bare.
    var jid: JID
    var password: String
  }

  private struct File: Codable {
    var schema: Int
    var jid: String
    var password: String
  }

  private static let schema = 1

  private let folder: String
  private var file: String { folder + "/account.json" }

  init(folder: String) {
    self.folder = folder
  }

  /// nil where there is none. Throws `StateError`.
  func load() throws(StateError) -> Login? {
    guard let bytes = try SecretFile.contents(of: file, limit: DaemonLimits.accountBytes) else { return nil }
    guard let content = try? JSONDecoder().decode(File.self, from: Data(bytes)), content.schema == Self.schema,
      let jid = AccountBook.address(content.jid)
    else { throw .damaged(file, reason: "not the JSON of a login, schema \(Self.schema)") }
    return Login(jid: jid, password: content.password)
  }

  /// Returns once it is on disk. Throws `StateError`, and then the old one still stands.
  func save(_ login: Login) throws(StateError) {
    try JSONFile.replace(
      file, in: folder, with: File(schema: Self.schema, jid: login.jid.text, password: login.password))
  }

  /// Throws `StateError`.
  func remove() throws(StateError) {
    guard unlink(file) == 0 || errno == ENOENT else { throw .unusable(SystemError("remove", file)) }
  }
}
