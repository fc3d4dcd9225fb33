import Codecs
import HTTPTypes
import NIOCore

/// A request as it is written: a checked target, and fields that frame its body.
struct ClientRequest {
  let head: HTTPRequest
  /// Asks for a WebSocket.
  let upgrades: Bool
  /// Doing it twice is doing it once (RFC 9110 §9.2.2).
  let isIdempotent: Bool
  private let address: HTTPAddress

  /// Methods whose requests carry `Content-Length: 0` where there is no body (RFC 9110 §8.6).
  private static let expectsBody: Set<HTTPRequest.Method> = [.post, .put, .patch]

  /// `length`: of the body in bytes, nil where it is not known.
  init(_ request: HTTPRequest, length: Int?, to address: HTTPAddress) throws {
    guard request.path.flatMap(RequestTarget.init) != nil, request.authority.map(\.isAuthority) ?? true,
      request.method != .connect
    else { throw HTTPClientError(.invalidRequest, address, "no request target that HTTP/1 can carry") }
    var request = request
    upgrades = request.asksForWebSocket
    if upgrades { request.headerFields[.connection] = "Upgrade" }
    // What is sent after an upgrade is no body.
    Self.frame(&request, upgrades ? 0 : length)
    head = request
    isIdempotent = request.method.isIdempotent
    self.address = address
  }

  private static func frame(_ request: inout HTTPRequest, _ length: Int?) {
    if request.headerFields.has(.transferEncoding) { request.headerFields[.transferEncoding] = nil }
    guard let length else {
      request.headerFields[.contentLength] = nil
      return request.headerFields.append(HTTPField(name: .transferEncoding, value: "chunked"))
    }
    let isNeeded = length > 0 || expectsBody.contains(request.method)
    if !isNeeded, !request.headerFields.has(.contentLength) { return }
    if request.headerFields[values: .contentLength] == [String(length)] { return }
    request.headerFields[.contentLength] = isNeeded ? String(length) : nil
  }

  /// It is known that the body is small; others are streamed.
  func isSmall(_ body: Body) -> Bool { body.length.map { $0 <= PartSize.small } ?? false }

  /// All of a small body. Throws where it is longer or shorter than announced.
  func whole(_ body: Body) async throws -> ByteBuffer {
    do {
      return try await body.whole(upTo: PartSize.small) ?? ByteBuffer()
    } catch let error as BodyError {
      throw HTTPClientError(wrongLength: error.length, to: address)
    }
  }
}

extension HTTPClientError {
  init(wrongLength length: Int, to address: HTTPAddress) {
    self.init(.invalidRequest, address, "the request's body has not the \(length) bytes that were announced")
  }
}

extension String {
  /// Without what would end a `Host` field, which is held to the same as an absolute target (RFC 9112 §3.2).
  fileprivate var isAuthority: Bool { RequestTarget(self) != nil }
}
