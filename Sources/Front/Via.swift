package import HTTPTypes

/// Says that a message came through here, and knows its own mark again: a device whose app is this very front would
/// otherwise be asked for ever (RFC 9110 §7.6.3).
package struct Via: Sendable {
  /// A token that no other node has.
  package let pseudonym: String
  private let field: HTTPField

  package init(pseudonym: String = "hearth-" + String(UInt64.random(in: .min ... .max), radix: 36)) {
    self.pseudonym = pseudonym
    field = HTTPField(name: .via, value: "1.1 " + pseudonym)
  }

  /// True where the message was here before.
  package func marks(_ fields: HTTPFields) -> Bool {
    fields.contains { field in
      field.name == .via && field.value.split { $0 == " " || $0 == "," || $0 == "\t" }.contains { $0 == pseudonym }
    }
  }

  package func mark(_ fields: inout HTTPFields) {
    fields.append(field)
  }
}
