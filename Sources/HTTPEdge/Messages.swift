package import Codecs
package import HTTPTypes
package import NIOCore

/// A request that a server got.
package struct Request: Sendable {
  /// The target as it was sent, absolute form included; `Host` is the authority.
  package var head: HTTPRequest
  package var body: Body
  /// The connection that it came on.
  package let channel: any Channel

  package init(head: HTTPRequest, body: Body = .empty, channel: any Channel) {
    self.head = head
    self.body = body
    self.channel = channel
  }

  package var method: HTTPRequest.Method { head.method }
  package var headers: HTTPFields { head.headerFields }
}

/// What a server answers.
package struct Response: Sendable {
  package var head: HTTPResponse
  package var body: Body

  package init(_ head: HTTPResponse, body: Body = .empty) {
    self.head = head
    self.body = body
  }

  package init(status: HTTPResponse.Status, headers: HTTPFields = [:], body: Body = .empty) {
    self.init(HTTPResponse(status: status, headerFields: headers), body: body)
  }

  package var status: HTTPResponse.Status { head.status }

  package var headers: HTTPFields {
    get { head.headerFields }
    set { head.headerFields = newValue }
  }
}
