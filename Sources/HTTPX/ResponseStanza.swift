import Codecs
package import HTTPTypes
package import NIOCore
package import XML
import XMPP

/// An HTTP response as the payload of an IQ result (XEP-0332 §4).
package struct ResponseStanza: Sendable, Hashable {
  package var head: HTTPResponse
  package var data: BodyData
  package var dialect: Dialect

  package init(_ head: HTTPResponse, data: BodyData = .none, dialect: Dialect = .xep) {
    self.head = head
    self.data = data
    self.dialect = dialect
  }
}

extension ResponseStanza {
  /// nil for an element that is no response; throws where one cannot be read.
  ///
  /// Informational statuses are no answer to an IQ, which can have but one; except 101, which ends what there is of HTTP.
  ///
  /// - Parameter upgrading: the request asked for a change of the protocol.
  package init?(_ element: Element, upgrading: Bool = false) throws(HTTPXError) {
    guard let dialect = Dialect(element, xep: "resp", slixmpp: "response") else { return nil }
    let head = HTTPResponse(
      status: try Self.status(element, upgrading), headerFields: try Fields.read(from: element))
    self.init(head, data: try BodyData(of: element), dialect: dialect)
  }

  private static func status(_ element: Element, _ upgrading: Bool) throws(HTTPXError) -> HTTPResponse.Status {
    // COMPAT(Rainbow): -1 and 0 occur.
    guard let code = element["statusCode"].flatMap(Int.init), upgrading && code == 101 || (200...999).contains(code)
    else { throw HTTPXError(.malformed, "the response has no final status but “\(element["statusCode"] ?? "")”") }
    return HTTPResponse.Status(code: code, said: element["statusMessage"])
  }

  /// Appends the payload up to its `<data/>`, compact; that and `writeEnd` follow.
  package func writeStart(into buffer: inout ByteBuffer) {
    let start: StaticString =
      dialect == .xep
      ? "<resp xmlns='urn:xmpp:http' version='1.1' statusCode='"
      : "<response xmlns='urn:xmpp:http' version='1.1' statusCode='"
    // Read once: it is kept as text.
    let status = head.status
    buffer.write(start, attributeValue: String(status.code), "'")
    // It is optional, and the code says what the standard one does.
    if let phrase = status.ownPhrase { buffer.write(attribute: "statusMessage", phrase) }
    buffer.writeStaticString(">")
    Fields.write(head.headerFields, into: &buffer)
  }

  package func writeEnd(into buffer: inout ByteBuffer) {
    buffer.writeStaticString(dialect == .xep ? "</resp>" : "</response>")
  }
}
