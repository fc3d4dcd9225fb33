import Codecs
import HTTPTypes
import Testing

@Suite struct SemanticsTests {
  /// RFC 9110 §9.2.2.
  @Test func idempotentMethods() {
    let idempotent: [HTTPRequest.Method] = [.get, .head, .options, .trace, .put, .delete]
    let others: [HTTPRequest.Method] = [.post, .patch, .connect, HTTPRequest.Method("PROPFIND")!]
    for method in idempotent { #expect(method.isIdempotent) }
    for method in others { #expect(!method.isIdempotent) }
  }

  /// RFC 9112 §6.3.
  @Test func bodilessResponses() {
    for code in [200, 205, 301, 404, 500] {
      #expect(HTTPResponse(status: .init(code: code)).hasBody(answering: .get))
      #expect(!HTTPResponse(status: .init(code: code)).hasBody(answering: .head))
    }
    for code in [100, 103, 204, 304] { #expect(!HTTPResponse(status: .init(code: code)).hasBody(answering: .get)) }
  }
}
