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

  /// The same for a request that is at fault: who reads it with a browser gets a page of their own node's instead.
  static func refusal(
    _ status: HTTPResponse.Status, _ reason: String, _ fields: HTTPFields = [:], to method: HTTPRequest.Method
  ) -> HTTPXResponse {
    var response = plain(status, reason, fields, to: method)
    response.failure = OriginFailure(.request, error: OriginFailure.requestError, reason: reason)
    return response
  }
}
