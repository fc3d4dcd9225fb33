package import Codecs
package import HTTPTypes

/// An HTTP request as XEP-0332 carries it: `head.path` is the `resource`, fields keep order, case and duplicates.
package struct HTTPXRequest: Sendable {
  package var head: HTTPRequest
  package var body: Body

  package init(_ head: HTTPRequest, body: Body = .empty) {
    self.head = head
    self.body = body
  }
}

/// An HTTP response as XEP-0332 carries it.
package struct HTTPXResponse: Sendable {
  package var head: HTTPResponse
  package var body: Body
  /// Why this stands for the response of an app; for the node that serves it, which says so in `Proxy-Status`.
  package var failure: OriginFailure?
  /// Whether the service wants documents to go as `<xml>` where they survive that.
  package var prefersXML: Bool

  package init(_ head: HTTPResponse, body: Body = .empty, failure: OriginFailure? = nil, prefersXML: Bool = false) {
    self.head = head
    self.body = body
    self.failure = failure
    self.prefersXML = prefersXML
  }
}
