import Codecs
package import HTTPTypes
package import Mesh

/// Says that a message came through here, and knows its own mark again: a device whose app is this very front would
/// otherwise be asked for ever.
///
/// Requests carry it in a field of ours: the `Via` of RFC 9110 §7.6.3 makes servers think of a proxy that cannot take what a
/// browser can, and nginx compress no more.
package struct Via: Sendable {
  /// A token that no other node has.
  package let pseudonym: String
  /// Before a request's id.
  private let beginning: String
  private let responseField: HTTPField

  package init(pseudonym: String = "hearth-" + String(UInt64.random(in: .min ... .max), radix: 36)) {
    self.pseudonym = pseudonym
    beginning = pseudonym + "; "
    responseField = HTTPField(name: .via, value: "1.1 " + pseudonym)
  }

  /// True where the request was here before.
  package func marks(_ fields: HTTPFields) -> Bool {
    fields.has(.hearthVia) && fields[values: .hearthVia].contains { $0 == pseudonym || $0.hasPrefix(beginning) }
  }

  package func mark(request fields: inout HTTPFields, _ id: RequestID) {
    fields.append(HTTPField(name: .hearthVia, value: beginning + id.parameter))
  }

  /// The client learns the id by which the logs of both nodes have its request.
  package func mark(response fields: inout HTTPFields, _ id: RequestID) {
    fields.append(responseField)
    if fields.has(.hearthRequestID) { fields[.hearthRequestID] = nil }
    fields.append(HTTPField(name: .hearthRequestID, value: id.text))
  }
}
