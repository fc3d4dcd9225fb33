package import HTTPEdge
package import Mesh
package import Trust

/// The daemon as the control socket needs it: its node, what it serves over restarts, its keys, and the way out to the mesh.
///
/// Filled by `Daemon`; made up in tests.
package protocol ControlledDaemon: Sendable {
  var node: any LocalNode { get }

  /// Announces and serves, at once and over restarts; replaces what was served under this name before.
  ///
  /// - Throws: `ControlError`, and then nothing has changed.
  func serve(_ name: String, _ service: ServiceResource) async throws -> ServedResource
  /// Ends what `serve` began.
  ///
  /// - Throws: `ControlError`.
  func unserve(_ name: String) async throws
  /// By port.
  func forwards() async -> [ForwardResource]
  /// Makes a port a device's, at once and over restarts; the one that is so already, where there is such a one.
  ///
  /// - Throws: `ControlError`, and then nothing has changed.
  func openForward(_ request: ForwardRequest) async throws -> OpenedForwardResource
  /// Ends what `openForward` began.
  ///
  /// - Throws: `ControlError`.
  func closeForward(_ port: Int) async throws
  /// On an XMPP server.
  func account() async -> AccountResource
  /// nil where this node is no component of a server.
  func componentStatus() -> ComponentResource?
  /// Tries the login, keeps it over restarts, and uses it at once.
  ///
  /// - Throws: `ControlError`, and then nothing has changed.
  func logIn(_ login: AccountLogin) async throws -> AccountResource
  /// Forgets what `logIn` keeps.
  ///
  /// - Throws: `ControlError`.
  func logOut() async throws
  /// What the owner says to an account that wants to be a contact.
  ///
  /// - Throws: `ControlError` where it does not ask any more.
  func answer(_ contact: String, accepting isAccepted: Bool) async throws
  /// Makes a new key for the next start.
  ///
  /// - Throws: `ControlError`.
  func rotateKey() async throws -> NodeID
  /// Answers a request in absolute form, `GET httpx://user@machine/path`.
  ///
  /// - Throws: where the client went away, or the answer broke off.
  func forward(_ request: Request, _ writer: ResponseWriter) async throws
}
