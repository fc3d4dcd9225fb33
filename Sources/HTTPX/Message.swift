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

  package init(_ head: HTTPResponse, body: Body = .empty) {
    self.head = head
    self.body = body
  }
}
