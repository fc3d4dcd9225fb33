package import HTTPTypes

/// Says that a message came through here, and knows its own mark again: a device whose app is this very front would
/// otherwise be asked for ever.
///
/// Requests carry it in a field of ours: the `Via` of RFC 9110 §7.6.3 makes servers think of a proxy that cannot take what a
/// browser can, and nginx compress no more.
package struct Via: Sendable {
  /// A token that no other node has.
  package let pseudonym: String
  private let requestField: HTTPField
  private let responseField: HTTPField

  package init(pseudonym: String = "hearth-" + String(UInt64.random(in: .min ... .max), radix: 36)) {
    self.pseudonym = pseudonym
    requestField = HTTPField(name: .hearthVia, value: pseudonym)
    responseField = HTTPField(name: .via, value: "1.1 " + pseudonym)
  }

  /// True where the request was here before.
  package func marks(_ fields: HTTPFields) -> Bool {
    fields.contains { $0.name == .hearthVia && $0.value == pseudonym }
  }

  package func mark(request fields: inout HTTPFields) {
    fields.append(requestField)
  }

  package func mark(response fields: inout HTTPFields) {
    fields.append(responseField)
  }
}
