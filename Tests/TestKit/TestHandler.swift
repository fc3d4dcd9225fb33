package import HTTPX
package import Mesh

/// An origin that is a function.
package struct TestHandler: ServiceHandler {
  package typealias Respond =
    @Sendable (HTTPXRequest, Caller, (HTTPXResponse) async throws -> Void) async throws -> Void

  private let body: Respond

  package init(_ body: @escaping Respond) {
    self.body = body
  }

  package func respond(
    to request: HTTPXRequest, from caller: Caller, send: (HTTPXResponse) async throws -> Void
  ) async throws {
    try await body(request, caller, send)
  }

  package func check() {}
}
