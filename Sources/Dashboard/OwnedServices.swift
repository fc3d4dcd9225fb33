package import Trust

/// What this node serves, as the forms of the dashboard change it: by the same book as the control socket, over restarts.
///
/// Filled by `Daemon`.
package protocol OwnedServices: Sendable {
  /// Serves an app (`http://127.0.0.1:3000`) or a folder (`/srv/photos`) under a name that is free, or was served so before.
  ///
  /// - Throws: `ServingError`, and then nothing has changed.
  func serve(_ name: String, target: String, title: String?, access: AccessPolicy.Access) async throws(ServingError)
  /// Ends what `serve` began.
  ///
  /// - Throws: `ServingError`.
  func stop(_ name: String) async throws(ServingError)
  /// Those that can be stopped here, and do not stand in `hearth.toml`.
  func stoppable() async -> Set<String>
}

/// Why a service is not served, or not stopped.
package struct ServingError: Error, Sendable {
  /// A whole sentence.
  package let message: String

  package init(_ message: String) {
    self.message = message
  }
}
