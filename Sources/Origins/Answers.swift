import Codecs
import HTTPTypes
import HTTPX

extension HTTPXResponse {
  /// A short plain text that says why; for HEAD the same head without the text.
  static func plain(
    _ status: HTTPResponse.Status, _ reason: String, _ fields: HTTPFields = [:], to method: HTTPRequest.Method
  ) -> HTTPXResponse {
    let body = Body(reason + "\n")
    var head = HTTPResponse(status: status, headerFields: fields)
    head.headerFields[.contentType] = "text/plain; charset=utf-8"
    head.headerFields[.contentLength] = body.length.map(String.init)
    return HTTPXResponse(head, body: method == .head ? .empty : body)
  }
}
