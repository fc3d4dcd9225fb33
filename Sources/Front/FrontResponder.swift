package import HTTPEdge
package import HTTPTypes

/// What the front says in its own name: who answers at `http://hearth.localhost:8332`, and what a failure looks like.
///
/// Filled by `Dashboard`.
package protocol FrontResponder: Sendable {
  /// Answers at the front's own origin.
  ///
  /// - Parameters:
  ///   - path: with its query.
  ///   - origin: as the browser spells it.
  /// - Throws: where the client went away.
  func response(to request: Request, path: String, of origin: String, at front: FrontAddress) async throws -> Response

  /// Says why no device answers.
  ///
  /// - Parameter front: where the list of devices is; nil where the client has no use for it.
  func response(to request: HTTPRequest, failing error: FrontError, at front: FrontAddress?) -> Response
}
