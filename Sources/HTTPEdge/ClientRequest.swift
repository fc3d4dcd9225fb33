import HTTPTypes
import NIOCore
import NIOHTTP1
import NIOHTTPTypesHTTP1

/// A request as it is written: a checked target, and fields that frame its body.
struct ClientRequest {
  let head: HTTPRequestHead
  /// Doing it twice is doing it once (RFC 9110 §9.2.2).
  let isIdempotent: Bool
  private let address: HTTPAddress

  private static let idempotent: Set<HTTPRequest.Method> = [.get, .head, .options, .trace, .put, .delete]
  /// Methods whose requests carry `Content-Length: 0` where there is no body (RFC 9110 §8.6).
  private static let expectsBody: Set<HTTPRequest.Method> = [.post, .put, .patch]

  /// `length`: of the body in bytes, nil where it is not known.
  init(_ request: HTTPRequest, length: Int?, to address: HTTPAddress) throws {
    guard let path = request.path, path.isOneToken, request.authority.map(\.isOneToken) ?? true,
      request.method != .connect
    else { throw HTTPClientError(.invalidRequest, address, "no request target that HTTP/1 can carry") }
    var request = request
    Self.frame(&request, length)
    head = try HTTPRequestHead(request)
    isIdempotent = Self.idempotent.contains(request.method)
    self.address = address
  }

  private static func frame(_ request: inout HTTPRequest, _ length: Int?) {
    let fields = request.headerFields
    request.headerFields.removeAll { $0.name == .transferEncoding }
    guard let length else {
      request.headerFields.removeAll { $0.name == .contentLength }
      return request.headerFields[.transferEncoding] = "chunked"
    }
    if fields[values: .contentLength] == [String(length)] { return }
    request.headerFields.removeAll { $0.name == .contentLength }
    if length > 0 || expectsBody.contains(request.method) { request.headerFields[.contentLength] = String(length) }
  }

  /// The whole body in one buffer; throws where it is longer or shorter than announced.
  func collect(
    _ body: some AsyncSequence<ByteBuffer, any Error>, _ length: Int
  ) async throws -> ByteBuffer {
    var all = ByteBuffer()
    for try await part in body {
      if all.readableBytes == 0 { all = part } else { all.writeImmutableBuffer(part) }
      guard all.readableBytes <= length else { break }
    }
    guard all.readableBytes == length else { throw HTTPClientError(wrongLength: length, to: address) }
    return all
  }
}

extension HTTPClientError {
  init(wrongLength length: Int, to address: HTTPAddress) {
    self.init(.invalidRequest, address, "the request's body has not the \(length) bytes that were announced")
  }
}

extension String {
  /// Without anything that would end it, or the line, in a request line or a field (RFC 9112 §3).
  fileprivate var isOneToken: Bool {
    !isEmpty && utf8.allSatisfy { $0 > 0x20 && $0 != 0x7F }
  }
}
